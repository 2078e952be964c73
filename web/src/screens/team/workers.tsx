/** Identities of the labelling tool that nobody has named yet, and labelling jobs that no project claims. */
import Badge from '@cloudscape-design/components/badge';

import type { Schemas } from '../../api/client';
import { StatusWord } from '../../figures/StatusWord';
import { MemberName } from '../../people/MemberName';
import type { Description, Value } from '../../resource/describe';
import { TimeText } from '../../time/TimeText';
import { today } from '../../time/zone';
import { Suggestions } from './Suggestions';

export type Worker = Schemas['WorkerAnswer'] & { version: number };

const STATUSES = ['unresolved', 'resolved', 'ignored'] as const;
const LOOKS = { unresolved: 'pending', resolved: 'success', ignored: 'stopped' } as const;

export const WORKERS: Description<Worker> = {
  table: 'workers',
  path: '/api/workers',
  noun: 'worker',
  nouns: 'workers',
  name: ({ job, worker_key }) => (job ? `Labelling job ${job}` : worker_key),
  sort: '-last_seen',
  search: 'keys',
  empty: 'Nobody waits for a name',
  columns: [
    { id: 'key', header: 'Identity', main: true, sort: 'worker_key', width: 330, cell: ({ job, worker_key }) => job ?? worker_key },
    { id: 'kind', header: 'Kind', width: 130, cell: ({ job }) => <Badge color={job ? 'blue' : 'grey'}>{job ? 'labelling job' : 'worker'}</Badge> },
    {
      id: 'status',
      header: 'Status',
      sort: 'status',
      width: 140,
      cell: ({ status }) => <StatusWord type={LOOKS[status ?? 'unresolved']}>{status}</StatusWord>,
    },
    {
      id: 'member',
      header: 'Is now',
      width: 200,
      cell: ({ periods }) => {
        const last = periods?.at(-1);
        return last && !last.to ? <MemberName id={last.member} /> : '–';
      },
    },
    { id: 'first', header: 'First seen', sort: 'first_seen', width: 230, cell: ({ first_seen }) => <TimeText instant={first_seen} /> },
    { id: 'last', header: 'Last seen', sort: 'last_seen', width: 230, cell: ({ last_seen }) => <TimeText instant={last_seen} /> },
  ],
  filters: [
    { name: 'status', label: 'Status', options: STATUSES },
    { name: 'is_job', label: 'Kind', options: ['true', 'false'], show: (value) => (value === 'true' ? 'labelling job' : 'worker') },
    { name: 'worker_key', label: 'Key' },
  ],
  verbs: [
    {
      id: 'resolve',
      text: 'Say who it is',
      verb: 'resolve',
      undone: true,
      fits: ({ job }) => !job,
      fields: [
        {
          name: 'member',
          label: 'Member',
          input: { kind: 'of-list', list: '/api/members', value: 'member_id', show: ({ name }: { name: string }) => name },
          required: true,
        },
        { name: 'valid_from', label: 'From', input: { kind: 'day' }, required: true, starts: () => today('UTC'), hint: 'The weeks since then are computed again.' },
        { name: 'valid_to', label: 'Before', input: { kind: 'day' }, hint: 'Until further notice without it.' },
      ],
      body: (_, { member, valid_from, valid_to }) => ({ member, valid_from, valid_to: (valid_to as Value) || null }),
      effect: (_, { member, valid_from }) => `is ${String(member)} from ${String(valid_from)}`,
    },
    {
      id: 'ignore',
      text: 'Leave aside',
      verb: 'ignore',
      undone: true,
      fits: ({ status }) => status === 'unresolved',
      effect: () => 'is left aside; its work counts for nobody',
    },
  ],
  details: (worker) => <Suggestions worker={worker} />,
};
