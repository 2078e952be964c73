/** An instant with its zone beside it, wherever a time is shown. */
import { memo } from 'react';

import { useZone } from '../shell/session';
import { localText } from './zone';

export const TimeText = memo(function TimeText({ instant }: { instant: string | null | undefined }) {
  const zone = useZone();
  if (!instant) return <>–</>;
  return (
    <time dateTime={instant} className="nowrap">
      {localText(instant, zone)} <small>{zone}</small>
    </time>
  );
});
