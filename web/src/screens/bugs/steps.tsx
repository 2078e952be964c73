/** The way of a bug from new to closed: which step may follow, alone in the panel and for many in the list. */
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import type { Schemas } from '../../api/client';
import { PLANNERS } from '../../auth/roles';
import type { Values } from '../../resource/describe';
import { useAddress } from '../../resource/useAddress';
import { itemPath, useWrites } from '../../resource/useWrites';
import { useFlash } from '../../shell/Flash';
import { useMay } from '../../shell/session';
import { apiInstant } from '../../time/zone';

export type Bug = Schemas['BugSummaryAnswer'] & { version: number };
export type BugStatus = Schemas['BugStatus'];

export const STATUSES: readonly BugStatus[] = ['new', 'confirmed', 'in_progress', 'resolved', 'closed'];
const NEXT: Record<BugStatus, readonly [BugStatus, string][]> = {
  new: [['confirmed', 'Confirm'], ['closed', 'Close']],
  confirmed: [['in_progress', 'Start work'], ['closed', 'Close']],
  in_progress: [['resolved', 'Resolve'], ['confirmed', 'Stop work']],
  resolved: [['closed', 'Close'], ['in_progress', 'Reopen']],
  closed: [['confirmed', 'Reopen']],
};

/** What a step writes: the instant of the solution belongs to a bug that is solved, and to no other. */
export function statusFields(bug: Bug, status: BugStatus): Values {
  const solved = status === 'resolved' || (status === 'closed' && bug.resolved);
  return { status, resolved: solved ? (bug.resolved ?? apiInstant(new Date())) : null };
}

export function Steps({ bug }: { bug: Bug }) {
  const may = useMay(PLANNERS);
  const past = useAddress().one('as_of') !== undefined;
  const { write } = useWrites('bugs');
  const { fail } = useFlash();
  const [busy, setBusy] = useState<BugStatus | undefined>();
  if (!may || past) return null;
  const take = async (status: BugStatus) => {
    setBusy(status);
    try {
      const body = statusFields(bug, status);
      await write('PATCH', itemPath('/api/bugs', bug.key), { body, version: bug.version }, `“${bug.title}” is ${status.replace('_', ' ')}.`);
    } catch (error) {
      fail(error, 'The status was not changed');
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {NEXT[bug.status ?? 'new'].map(([status, text]) => (
        <Button key={status} loading={busy === status} disabled={busy !== undefined} onClick={() => void take(status)}>
          {text}
        </Button>
      ))}
    </SpaceBetween>
  );
}
