/** Requests for capacity as the API knows them: the list, the form, and the steps of their decision. */
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../../api/client';
import { SkillsInput, skillsText, type Skill } from '../../fields/SkillsInput';
import { StatusWord } from '../../figures/StatusWord';
import { Who } from '../../people/Who';
import { ProjectName } from '../../work/ProjectName';
import type { Description, Field, Value } from '../../resource/describe';
import { TimeText } from '../../time/TimeText';
import { wholeDay } from '../../time/weeks';
import { Demand } from './Demand';
import { Late } from './late';

export type Request = Schemas['RequestAnswer'] & { version: number };
type Status = Schemas['RequestStatus'];

const STATUSES: readonly Status[] = ['submitted', 'triaged', 'approved', 'declined', 'fulfilled'];
const WAITING: Status[] = ['submitted', 'triaged', 'approved'];
const LOOKS: Record<Status, StatusIndicatorProps.Type> = {
  submitted: 'pending',
  triaged: 'in-progress',
  approved: 'success',
  declined: 'error',
  fulfilled: 'stopped',
};

const from = (status: Status) => (row: Request) => row.status === status;
const WHY: Field = { name: 'decision', label: 'Why', input: { kind: 'long' }, hint: 'The requester reads it.' };

export const REQUESTS: Description<Request> = {
  table: 'requests',
  path: '/api/requests',
  noun: 'request',
  nouns: 'requests',
  name: ({ requester, hours, due_date }) => `${requester}: ${Number(hours)} h until ${wholeDay(due_date)}`,
  sort: 'due_date',
  search: 'requesters, reasons and ids',
  create: true,
  remove: true,
  empty: 'No requests',
  columns: [
    { id: 'requester', header: 'Requester', main: true, sort: 'requester', width: 180, cell: ({ requester }) => requester },
    { id: 'late', header: 'Late', width: 130, cell: (row) => <Late request={row} /> },
    { id: 'due', header: 'Due', sort: 'due_date', width: 130, cell: ({ due_date }) => wholeDay(due_date) },
    { id: 'status', header: 'Status', sort: 'status', width: 130, cell: ({ status = 'submitted' }) => <StatusWord type={LOOKS[status]}>{status}</StatusWord> },
    { id: 'hours', header: 'Hours', sort: 'hours', width: 105, cell: ({ hours }) => <span className="number">{Number(hours)}</span> },
    { id: 'project', header: 'Project', width: 190, cell: ({ project_id }) => (project_id ? <ProjectName id={project_id} /> : '–') },
    { id: 'skills', header: 'Skills', width: 170, cell: ({ skills }) => skillsText(skills) },
    { id: 'reason', header: 'Reason', width: 300, cell: ({ reason }) => reason },
    { id: 'id', header: 'Request', width: 260, cell: ({ request_id }) => request_id, optional: true },
    { id: 'created', header: 'Asked', sort: 'created', width: 230, cell: ({ created }) => <TimeText instant={created} />, optional: true },
    { id: 'decided', header: 'Decided', width: 230, cell: ({ decided }) => <TimeText instant={decided} />, optional: true },
    { id: 'decided_by', header: 'By', width: 160, cell: ({ decided_by }) => <Who id={decided_by} />, optional: true },
    { id: 'decision', header: 'Why', width: 240, cell: ({ decision }) => decision ?? '–', optional: true },
  ],
  filters: [
    { name: 'status', label: 'Status', options: STATUSES },
    { name: 'project_id', label: 'Project id' },
    { name: 'due_date', label: 'Due' },
    { name: 'request_id', label: 'Request' },
  ],
  fields: [
    { name: 'requester', label: 'Requester', input: { kind: 'text' }, required: true },
    { name: 'reason', label: 'Reason', input: { kind: 'long' }, required: true },
    { name: 'hours', label: 'Hours in all', input: { kind: 'number' }, required: true },
    { name: 'due_date', label: 'Due', input: { kind: 'day' }, required: true, hint: 'Until the end of this day in UTC.' },
    {
      name: 'project_id',
      label: 'Project',
      input: { kind: 'of-list', list: '/api/projects', value: 'project_id', show: ({ name }: { name: string }) => name },
      hint: 'Hours are planned only for a project that is active.',
    },
    {
      name: 'skills',
      label: 'Skills',
      input: { kind: 'custom', input: (value, set) => <SkillsInput value={(value ?? []) as Skill[]} onChange={set} /> },
      show: (value: Value) => skillsText(value as Skill[]),
    },
  ],
  bulk: [
    {
      id: 'due',
      text: 'Set the due date',
      fields: [{ name: 'due_date', label: 'Due', input: { kind: 'day' }, required: true }],
      change: (_, { due_date }) => ({ due_date }),
    },
  ],
  verbs: [
    {
      id: 'triage',
      text: 'Triage',
      verb: 'decision',
      fits: from('submitted'),
      body: () => ({ status: 'triaged' }),
      effect: () => 'is triaged: it can be approved or declined',
    },
    {
      id: 'approve',
      text: 'Approve',
      verb: 'decision',
      fields: [WHY],
      fits: from('triaged'),
      body: (_, { decision }) => ({ status: 'approved', decision: decision ?? '' }),
      effect: ({ hours, project_id }) =>
        project_id ? `is approved: its ${Number(hours)} h are planned from next week on` : 'is approved, but names no project: its hours are not planned',
    },
    {
      id: 'decline',
      text: 'Decline',
      verb: 'decision',
      fields: [{ ...WHY, required: true }],
      fits: from('triaged'),
      body: (_, { decision }) => ({ status: 'declined', decision }),
      effect: () => 'is declined for good, with the reason',
    },
    {
      id: 'fulfil',
      text: 'Mark fulfilled',
      verb: 'decision',
      fits: from('approved'),
      body: () => ({ status: 'fulfilled' }),
      effect: () => 'is fulfilled: none of its hours are planned any more',
    },
  ],
  details: (row) => <Demand request={row} />,
};

export const INBOX: Description<Request> = {
  ...REQUESTS,
  fixed: { status: WAITING },
  filters: REQUESTS.filters.filter(({ name }) => name !== 'status'),
  empty: 'No request waits',
};
