/** A link into the screen as it is shown: a click, a new tab and a colleague who gets it come to the same place. */
import Link from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';

import { placeOf, useSet, type Changes } from './useAddress';

/** Drawn with what it stands in, not for every address: a click leads from the address that is shown by then. */
export function HereLink({ to, children }: { to: Changes; children: ReactNode }) {
  const set = useSet();
  return (
    <Link
      href={placeOf(to)}
      onFollow={(event) => {
        event.preventDefault();
        set(to);
      }}
    >
      {children}
    </Link>
  );
}
