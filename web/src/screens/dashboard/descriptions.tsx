/** A member's own time off and disputes: what they may do with them, and no more. */
import type { Schemas } from '../../api/client';
import { EVERYBODY } from '../../auth/roles';
import { StatusWord } from '../../figures/StatusWord';
import { textOf, type Description, type Field } from '../../resource/describe';
import { TimeText } from '../../time/TimeText';
import { ProjectName } from '../../work/ProjectName';
import { CODES, STATUSES, TIME_OFF, type TimeOff } from '../../people/timeOff';

export type Dispute = Schemas['DisputeAnswer'] & { version: number };

const HOURS: Field = { name: 'hours_off', label: 'Hours off', input: { kind: 'number' }, required: true, initial: '8' };
const CODE: Field = { name: 'code', label: 'Kind of reason', input: { kind: 'choice', options: CODES }, required: true, initial: 'vacation' };
const REASON: Field = { name: 'reason', label: 'Reason', input: { kind: 'long' }, hint: 'For you and an administrator; your lead does not read it.' };

export function myTimeOff(member: string): Description<TimeOff> {
  const hidden = new Set(['member', 'decided_by']);
  return {
    ...TIME_OFF,
    noun: 'day off',
    nouns: 'days off',
    name: ({ date }) => date,
    sort: '-date',
    fixed: { member_id: member },
    writers: EVERYBODY,
    remove: undefined,
    bulk: undefined,
    span: undefined, // of one member all days are listed
    empty: 'No days off',
    columns: [
      ...TIME_OFF.columns.filter(({ id }) => !hidden.has(id)).map((column) => ({ ...column, optional: false })),
      { id: 'reason', header: 'Text', cell: ({ reason }) => textOf(reason), width: 220 },
    ],
    filters: [
      { name: 'status', label: 'Status', options: STATUSES },
      { name: 'code', label: 'Reason', options: CODES },
    ],
    fields: [{ name: 'date', label: 'Day', input: { kind: 'day' }, required: true, once: true }, HOURS, CODE, REASON],
    verbs: [
      {
        id: 'cancel',
        text: 'Cancel',
        verb: 'decision',
        fits: ({ status }) => status === 'requested' || status === 'approved',
        body: () => ({ status: 'cancelled' }),
        effect: () => 'is cancelled',
      },
      {
        id: 'again',
        text: 'Ask again',
        verb: 'decision',
        fits: ({ status }) => status === 'declined' || status === 'cancelled',
        body: () => ({ status: 'requested' }),
        effect: () => 'is asked for again',
      },
    ],
  };
}

const LOOKS = { open: 'pending', corrected: 'success', declined: 'error', withdrawn: 'stopped' } as const;

export function myDisputes(member: string): Description<Dispute> {
  return {
    table: 'disputes',
    path: '/api/disputes',
    noun: 'dispute',
    nouns: 'disputes',
    name: ({ week, field }) => `${field.replaceAll('_', ' ')} of ${week}`,
    sort: '-opened',
    fixed: { member_id: member },
    writers: EVERYBODY,
    search: 'reasons and figures',
    columns: [
      { id: 'figure', header: 'Figure', main: true, width: 220, cell: ({ field, week }) => `${field.replaceAll('_', ' ')}, ${week}` },
      { id: 'project', header: 'Project', width: 185, cell: ({ project_id }) => (project_id ? <ProjectName id={project_id} /> : '–') },
      { id: 'shown', header: 'Shown', width: 100, cell: ({ shown }) => <span className="number">{shown}</span> },
      { id: 'expected', header: 'Expected', width: 110, cell: ({ expected }) => <span className="number">{expected ?? '–'}</span> },
      { id: 'status', header: 'Status', sort: 'status', width: 130, cell: ({ status = 'open' }) => <StatusWord type={LOOKS[status]}>{status}</StatusWord> },
      { id: 'reason', header: 'Your reason', width: 260, cell: ({ reason }) => reason },
      { id: 'answer', header: 'Answer', width: 260, cell: ({ answer }) => answer ?? '–' },
      { id: 'opened', header: 'Opened', sort: 'opened', width: 230, cell: ({ opened }) => <TimeText instant={opened} /> },
    ],
    filters: [{ name: 'status', label: 'Status', options: Object.keys(LOOKS) }],
    fields: [
      { name: 'expected', label: 'What it should be', input: { kind: 'text' }, once: true },
      { name: 'reason', label: 'Why', input: { kind: 'long' }, required: true, once: true },
    ],
    verbs: [
      {
        id: 'withdraw',
        text: 'Withdraw',
        verb: 'withdraw',
        fits: ({ status }) => status === 'open',
        effect: () => 'is withdrawn',
      },
    ],
  };
}
