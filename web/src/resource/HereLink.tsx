/** A link into the screen as it is shown: a click, a new tab and a colleague who gets it come to the same place. */
import Link from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';

import { changed, useAddress, type Changes } from './useAddress';

export function HereLink({ to, children }: { to: Changes; children: ReactNode }) {
  const { parameters, set } = useAddress();
  return (
    <Link
      href={`?${changed(parameters, to)}`}
      onFollow={(event) => {
        event.preventDefault();
        set(to);
      }}
    >
      {children}
    </Link>
  );
}
