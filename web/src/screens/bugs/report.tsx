/** Bugs as the API knows them: what the list shows, what anybody may report, what leads decide. */
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import { EVERYBODY } from '../../auth/roles';
import { SEVERITIES, SeverityBadge } from '../../figures/SeverityBadge';
import { StatusWord } from '../../figures/StatusWord';
import { Who } from '../../people/Who';
import type { Description, Field } from '../../resource/describe';
import { TimeText } from '../../time/TimeText';
import { Screenshot } from './Screenshot';
import { ScreenshotInput } from './ScreenshotInput';
import { statusFields, STATUSES, Steps, type Bug, type BugStatus } from './steps';

const LOOKS: Record<BugStatus, StatusIndicatorProps.Type> = {
  new: 'pending',
  confirmed: 'warning',
  in_progress: 'in-progress',
  resolved: 'success',
  closed: 'stopped',
};
const spaced = (text: string) => text.replace('_', ' ');

const STATUS: Field = { name: 'status', label: 'Status', input: { kind: 'choice', options: STATUSES, show: spaced }, required: true, initial: 'new', show: (value) => spaced(String(value)) };
const SEVERITY: Field = { name: 'severity', label: 'Severity', input: { kind: 'choice', options: SEVERITIES }, required: true, initial: 'medium' };
const CATEGORY: Field = { name: 'category', label: 'Category', input: { kind: 'text' }, required: true, hint: 'The part of the platform, such as screens, figures, plan or mail.' };
const ASSIGNEE: Field = { name: 'assignee', label: 'Assignee', input: { kind: 'text' }, hint: 'The id of who looks into it.', person: true };

/** What anybody may say about a bug. */
const REPORTED: readonly Field[] = [
  { name: 'title', label: 'Title', input: { kind: 'text' }, required: true, hint: 'What is wrong, in one line.' },
  SEVERITY,
  CATEGORY,
  { name: 'description', label: 'Description', input: { kind: 'long' }, required: true },
  {
    name: 'screenshot',
    label: 'Screenshot',
    input: { kind: 'custom', input: (value, set, _, bug) => <ScreenshotInput value={value as string | null | undefined} bug={bug} onChange={set} /> },
    hint: 'Made small in the browser before it is sent. Leave out what others should not see.',
    apart: true,
    show: (value) => `a picture of ${Math.round((String(value).length * 3) / 4000)} kB`,
  },
  { name: 'steps', label: 'Steps', input: { kind: 'long' }, hint: 'How to see it again.' },
  { name: 'expected', label: 'Expected', input: { kind: 'text' } },
  { name: 'actual', label: 'Actual', input: { kind: 'text' } },
  { name: 'page', label: 'Page', input: { kind: 'text' }, hint: 'The address of the screen, such as /throughput?week=2026-W02.' },
  { name: 'browser', label: 'Browser', input: { kind: 'text' }, initial: navigator.userAgent.slice(0, 500) },
];
/** What leads decide. */
const DECIDED: readonly Field[] = [STATUS, ASSIGNEE];

export const BUGS: Description<Bug> = {
  table: 'bugs',
  path: '/api/bugs',
  noun: 'bug',
  nouns: 'bugs',
  name: ({ title }) => title,
  sort: '-created',
  search: 'titles and descriptions',
  create: true,
  creators: EVERYBODY,
  remove: true,
  empty: 'No bugs',
  columns: [
    { id: 'title', header: 'Title', main: true, sort: 'title', width: 380, cell: ({ title }) => title },
    { id: 'severity', header: 'Severity', width: 110, cell: ({ severity }) => <SeverityBadge severity={severity} /> },
    { id: 'status', header: 'Status', sort: 'status', width: 140, cell: ({ status = 'new' }) => <StatusWord type={LOOKS[status]}>{spaced(status)}</StatusWord> },
    { id: 'category', header: 'Category', sort: 'category', width: 140, cell: ({ category }) => category },
    { id: 'assignee', header: 'Assignee', width: 185, cell: ({ assignee }) => <Who id={assignee} /> },
    { id: 'reporter', header: 'Reporter', width: 185, cell: ({ reporter }) => <Who id={reporter} /> },
    { id: 'created', header: 'Reported', sort: 'created', width: 230, cell: ({ created }) => <TimeText instant={created} /> },
    { id: 'resolved', header: 'Resolved', width: 230, cell: ({ resolved }) => <TimeText instant={resolved} />, optional: true },
    { id: 'page', header: 'Page', width: 220, cell: ({ page }) => page || '–', optional: true },
    { id: 'bug_id', header: 'Id', width: 240, cell: ({ bug_id }) => bug_id, optional: true },
  ],
  filters: [
    { name: 'status', label: 'Status', options: STATUSES, show: spaced },
    { name: 'severity', label: 'Severity', options: SEVERITIES },
    { name: 'category', label: 'Category' },
    { name: 'assignee', label: 'Assignee' },
    { name: 'reporter', label: 'Reporter' },
  ],
  fields: [...REPORTED, ...DECIDED],
  bulk: [
    { id: 'status', text: 'Set the status', fields: [STATUS], change: (bug, { status }) => statusFields(bug, status as BugStatus) },
    { id: 'assignee', text: 'Assign', fields: [ASSIGNEE], change: (_, { assignee }) => ({ assignee: assignee ?? null }) },
    { id: 'severity', text: 'Set the severity', fields: [SEVERITY], change: (_, { severity }) => ({ severity }) },
    { id: 'category', text: 'Set the category', fields: [CATEGORY], change: (_, { category }) => ({ category }) },
  ],
  details: (bug) => (
    <SpaceBetween size="l">
      <Steps bug={bug} />
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'Reporter', value: <Who id={bug.reporter} /> },
          { label: 'Reported', value: <TimeText instant={bug.created} /> },
          { label: 'Resolved', value: <TimeText instant={bug.resolved} /> },
          { label: 'Id', value: bug.bug_id },
        ]}
      />
      <Screenshot bug={bug.key} version={bug.version} title={bug.title} />
    </SpaceBetween>
  ),
};

/** The same for who reports and does not decide: nothing is asked that the API would refuse. */
export const REPORTS: Description<Bug> = { ...BUGS, fields: [...REPORTED, ...DECIDED.map((field) => ({ ...field, decided: true as const }))] };
