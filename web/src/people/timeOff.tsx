/** Time off as a list: who asked for what, and what was decided. The calendar of it is Calendar.tsx. */
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../api/client';
import { StatusWord } from '../figures/StatusWord';
import type { Description, Field } from '../resource/describe';
import { TimeText } from '../time/TimeText';
import { weekdayName, wholeDay } from '../time/weeks';
import { MemberName } from './MemberName';
import { Who } from './Who';

export type TimeOff = Schemas['AvailabilityAnswer'] & { version: number };
type Status = Schemas['AvailabilityStatus'];

export const STATUSES: readonly Status[] = ['requested', 'approved', 'declined', 'cancelled'];
export const CODES = ['vacation', 'sick', 'holiday', 'training', 'other'] as const;
const LOOKS: Record<Status, StatusIndicatorProps.Type> = {
  requested: 'pending',
  approved: 'success',
  declined: 'error',
  cancelled: 'stopped',
};

export function TimeOffStatus({ status = 'requested' }: { status?: Status }) {
  return <StatusWord type={LOOKS[status]}>{status}</StatusWord>;
}

const ANSWER: Field = { name: 'answer', label: 'Answer to the member', input: { kind: 'long' }, required: true };
const from = (...statuses: Status[]) => (row: TimeOff) => statuses.includes(row.status ?? 'requested');

export const TIME_OFF: Description<TimeOff> = {
  table: 'availability',
  path: '/api/availability',
  noun: 'entry',
  nouns: 'entries',
  name: ({ member_id, date }) => `${member_id} on ${wholeDay(date)}`,
  sort: 'date',
  span: 'from last week to eleven weeks ahead',
  create: true,
  remove: true,
  empty: 'No time off',
  columns: [
    { id: 'date', header: 'Day', main: true, sort: 'date', width: 160, cell: ({ date }) => `${weekdayName(date)} ${wholeDay(date)}` },
    { id: 'member', header: 'Member', sort: 'member_id', width: 200, cell: ({ member_id }) => <MemberName id={member_id} /> },
    { id: 'hours', header: 'Hours off', sort: 'hours_off', width: 110, cell: ({ hours_off }) => <span className="number">{Number(hours_off)}</span> },
    { id: 'code', header: 'Reason', width: 120, cell: ({ code }) => code ?? 'other' },
    { id: 'status', header: 'Status', sort: 'status', width: 140, cell: ({ status }) => <TimeOffStatus status={status} /> },
    { id: 'created', header: 'Asked', width: 230, cell: ({ created }) => <TimeText instant={created} /> },
    { id: 'decided', header: 'Decided', width: 230, cell: ({ decided }) => <TimeText instant={decided} /> },
    { id: 'decided_by', header: 'By', width: 160, cell: ({ decided_by }) => <Who id={decided_by} /> },
    { id: 'answer', header: 'Answer', width: 220, cell: ({ answer }) => answer ?? '–', optional: true },
  ],
  filters: [
    { name: 'status', label: 'Status', options: STATUSES },
    { name: 'code', label: 'Reason', options: CODES },
    { name: 'member_id', label: 'Member id' },
    { name: 'week', label: 'Week' },
    { name: 'date', label: 'Day' },
  ],
  fields: [
    {
      name: 'member_id',
      label: 'Member',
      input: { kind: 'of-list', list: '/api/members', value: 'member_id', show: ({ name }: { name: string }) => name },
      required: true,
      once: true,
    },
    { name: 'date', label: 'Day', input: { kind: 'day' }, required: true, once: true },
    { name: 'hours_off', label: 'Hours off', input: { kind: 'number' }, required: true, initial: '8' },
    { name: 'code', label: 'Reason', input: { kind: 'choice', options: CODES }, required: true, initial: 'vacation' },
  ],
  bulk: [
    {
      id: 'hours',
      text: 'Set the hours off',
      fields: [{ name: 'hours_off', label: 'Hours off', input: { kind: 'number' }, required: true }],
      change: (_, { hours_off }) => ({ hours_off }),
    },
  ],
  verbs: [
    {
      id: 'approve',
      text: 'Approve',
      verb: 'decision',
      fits: from('requested', 'declined'),
      body: () => ({ status: 'approved' }),
      effect: () => 'is approved',
    },
    {
      id: 'decline',
      text: 'Decline',
      verb: 'decision',
      fields: [ANSWER],
      fits: from('requested'),
      body: (_, { answer }) => ({ status: 'declined', answer }),
      effect: () => 'is declined, with the answer',
    },
    {
      id: 'cancel',
      text: 'Cancel',
      verb: 'decision',
      fits: from('requested', 'approved'),
      body: () => ({ status: 'cancelled' }),
      effect: () => 'is cancelled',
    },
  ],
};
