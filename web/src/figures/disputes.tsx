/** Disputes: a member says that a figure is wrong; a lead answers. Shared by Quality and Throughput. */
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../api/client';
import { MemberName } from '../people/MemberName';
import type { Description } from '../resource/describe';
import { TimeText } from '../time/TimeText';
import { correctionText } from './corrections';
import { StatusWord } from './StatusWord';

type Dispute = Schemas['DisputeAnswer'] & { version: number };
type Status = Schemas['DisputeStatus'];

const STATUSES: readonly Status[] = ['open', 'corrected', 'declined', 'withdrawn'];
const LOOKS: Record<Status, StatusIndicatorProps.Type> = { open: 'pending', corrected: 'success', declined: 'error', withdrawn: 'stopped' };
const isOpen = ({ status }: Dispute) => (status ?? 'open') === 'open';

export function disputes(table: Schemas['FactTable']): Description<Dispute> {
  return {
    table: 'disputes',
    path: '/api/disputes',
    noun: 'dispute',
    nouns: 'disputes',
    name: ({ member_id, field, week }) => `${field.replaceAll('_', ' ')} of ${member_id} in ${week}`,
    sort: '-opened',
    search: 'reasons',
    fixed: { table },
    empty: 'No disputes',
    columns: [
      { id: 'member', header: 'Member', main: true, sort: 'member_id', width: 170, cell: ({ member_id }) => <MemberName id={member_id} /> },
      { id: 'status', header: 'Status', sort: 'status', width: 130, cell: ({ status = 'open' }) => <StatusWord type={LOOKS[status]}>{status}</StatusWord> },
      { id: 'week', header: 'Week', sort: 'week', width: 110, cell: ({ week }) => week },
      { id: 'project', header: 'Project', width: 150, cell: ({ project_id }) => project_id ?? '–' },
      { id: 'field', header: 'Figure', width: 160, cell: ({ field }) => field.replaceAll('_', ' ') },
      { id: 'shown', header: 'Shown', width: 100, cell: ({ shown }) => shown },
      { id: 'expected', header: 'Expected', width: 100, cell: ({ expected }) => expected ?? '–' },
      { id: 'reason', header: 'Reason', width: 260, cell: ({ reason }) => reason },
      { id: 'answer', header: 'Answer', width: 240, cell: ({ answer }) => answer ?? '–' },
      { id: 'opened', header: 'Opened', sort: 'opened', width: 230, cell: ({ opened }) => <TimeText instant={opened} /> },
    ],
    filters: [
      { name: 'status', label: 'Status', options: STATUSES },
      { name: 'member_id', label: 'Member id' },
      { name: 'project_id', label: 'Project id' },
      { name: 'week', label: 'Week' },
    ],
    fields: [
      { name: 'reason', label: 'Reason', input: { kind: 'long' }, once: true },
      { name: 'shown', label: 'Shown', input: { kind: 'text' }, once: true },
      { name: 'expected', label: 'Expected', input: { kind: 'text' }, once: true },
      { name: 'answer', label: 'Answer', input: { kind: 'long' }, once: true },
      { name: 'correction_id', label: 'Correction', input: { kind: 'text' }, once: true },
    ],
    verbs: [
      {
        id: 'correct',
        text: 'It is corrected',
        verb: 'correct',
        fits: isOpen,
        // A figure of throughput is computed: only a correction changes it.
        fields: (rows) => [
          {
            name: 'correction_id',
            label: 'Correction',
            input: {
              kind: 'of-list',
              list: '/api/corrections',
              query: { table, week: [...new Set(rows.map(({ week }) => week))] },
              value: 'correction_id',
              show: correctionText,
            },
            required: table === 'throughput',
            hint: table === 'throughput' ? 'One of the same week. Enter it under Corrections first.' : 'One of the same week; none where a review was edited.',
          },
          { name: 'answer', label: 'Answer to the member', input: { kind: 'long' } },
        ],
        body: (_, { correction_id, answer }) => ({ correction_id: correction_id || null, answer: answer ?? '' }),
        effect: () => 'is corrected',
      },
      {
        id: 'decline',
        text: 'The figure is right',
        verb: 'decline',
        fits: isOpen,
        fields: [{ name: 'answer', label: 'Answer to the member', input: { kind: 'long' }, required: true }],
        body: (_, { answer }) => ({ answer }),
        effect: () => 'is declined, with the answer',
      },
    ],
  };
}
