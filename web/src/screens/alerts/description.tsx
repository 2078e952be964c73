/** Alerts as the API knows them: what the ledger shows, and what people may make of one. */
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../../api/client';
import { SEVERITIES, SeverityBadge } from '../../figures/SeverityBadge';
import { StatusWord } from '../../figures/StatusWord';
import { MemberName } from '../../people/MemberName';
import { Who } from '../../people/Who';
import type { Description, Field } from '../../resource/describe';
import { preference } from '../../shell/preferences';
import { TimeText } from '../../time/TimeText';
import { addDays, wholeDay } from '../../time/weeks';
import { apiInstant, BROWSER_ZONE, instantOf, today } from '../../time/zone';
import { ProjectName } from '../../work/ProjectName';
import { Evidence } from './Evidence';
import { RULES, type Alert, type Rule } from './rules';

type Status = Schemas['AlertStatus'];

const STATUSES: readonly Status[] = ['open', 'acknowledged', 'silenced', 'resolved'];
const LOOKS: Record<Status, StatusIndicatorProps.Type> = {
  open: 'warning',
  acknowledged: 'in-progress',
  silenced: 'stopped',
  resolved: 'success',
};
const VERDICTS: Record<Schemas['Verdict'], string> = { useful: 'useful', not_useful: 'not useful' };
const SILENT_DAYS = 7;

/** The end of a day where the person is: silent until then. */
function endOf(day: unknown): string {
  return apiInstant(instantOf(addDays(String(day), 1), '00:00', zone()));
}
const zone = () => preference('zone') ?? BROWSER_ZONE;

const UNTIL: Field = {
  name: 'until',
  label: 'Silent to the end of',
  input: { kind: 'day' },
  required: true,
  hint: 'In your time zone. If it is still true afterwards, it is told.',
  starts: () => addDays(today(zone()), SILENT_DAYS),
};
const WHY: Field = { name: 'reason', label: 'Why nothing is to be told', input: { kind: 'long' }, required: true, hint: 'Others will ask.' };
const NOTE: Field = { name: 'note', label: 'What was wrong with it', input: { kind: 'long' }, hint: 'Helps to mend the rule.' };
const unresolved = ({ status = 'open' }: Alert) => status !== 'resolved';

export const ALERTS: Description<Alert> = {
  table: 'alerts',
  path: '/api/alerts',
  noun: 'alert',
  nouns: 'alerts',
  name: ({ title }) => title,
  sort: '-last_seen',
  search: 'titles and subjects',
  empty: 'No alerts',
  columns: [
    { id: 'title', header: 'Alert', main: true, sort: 'title', width: 400, cell: ({ title }) => title },
    { id: 'severity', header: 'Severity', width: 105, cell: ({ severity }) => <SeverityBadge severity={severity} /> },
    { id: 'status', header: 'Status', width: 150, cell: ({ status = 'open' }) => <StatusWord type={LOOKS[status]}>{status}</StatusWord> },
    { id: 'rule', header: 'Rule', sort: 'rule', width: 170, cell: ({ rule }) => RULES[rule] },
    { id: 'member', header: 'Member', width: 185, cell: ({ member_id }) => (member_id ? <MemberName id={member_id} /> : '–') },
    { id: 'project', header: 'Project', width: 185, cell: ({ project_id }) => (project_id ? <ProjectName id={project_id} /> : '–') },
    { id: 'week', header: 'Week', width: 105, cell: ({ week }) => week },
    { id: 'first', header: 'Since', sort: 'first_seen', width: 235, cell: ({ opened, first_seen }) => <TimeText instant={opened ?? first_seen} /> },
    { id: 'verdict', header: 'Useful?', width: 110, cell: ({ verdict }) => (verdict ? VERDICTS[verdict] : '–') },
    { id: 'last', header: 'Seen last', sort: 'last_seen', width: 235, cell: ({ last_seen }) => <TimeText instant={last_seen} />, optional: true },
    { id: 'told', header: 'Told', width: 235, cell: ({ told }) => <TimeText instant={told} />, optional: true },
    { id: 'by', header: 'Taken up by', width: 160, cell: ({ acknowledged_by }) => <Who id={acknowledged_by} />, optional: true },
    { id: 'until', header: 'Silent until', width: 235, cell: ({ status, silenced_until }) => <TimeText instant={status === 'silenced' ? silenced_until : null} />, optional: true },
  ],
  filters: [
    { name: 'status', label: 'Status', options: STATUSES },
    { name: 'rule', label: 'Rule', options: Object.keys(RULES), show: (value) => RULES[value as Rule] ?? value },
    { name: 'severity', label: 'Severity', options: SEVERITIES },
    { name: 'verdict', label: 'Useful', options: Object.keys(VERDICTS), show: (value) => VERDICTS[value as Schemas['Verdict']] ?? value },
    { name: 'member_id', label: 'Member id' },
    { name: 'project_id', label: 'Project id' },
    { name: 'week', label: 'Week' },
  ],
  verbs: [
    {
      id: 'acknowledge',
      text: 'Acknowledge',
      verb: 'acknowledge',
      quick: true,
      fits: ({ status = 'open' }) => status === 'open' || status === 'silenced',
      effect: () => 'is taken up: no reminders, unless it gets worse',
    },
    {
      id: 'silence',
      text: 'Silence',
      verb: 'silence',
      fields: [UNTIL, WHY],
      fits: unresolved,
      body: (_, { until, reason }) => ({ until: endOf(until), reason }),
      effect: (_, { until }) => `is silent to the end of ${wholeDay(String(until))} (${zone()})`,
    },
    {
      id: 'unsilence',
      text: 'End the silence',
      verb: 'unsilence',
      quick: true,
      fits: ({ status }) => status === 'silenced',
      effect: () => 'is open; what the silence kept back is told next',
    },
    {
      id: 'useful',
      text: 'Useful',
      verb: 'verdict',
      quick: true,
      fits: ({ verdict }) => verdict !== 'useful',
      body: () => ({ verdict: 'useful' }),
      effect: () => 'was worth its interruption',
    },
    {
      id: 'not-useful',
      text: 'Not useful',
      verb: 'verdict',
      fields: [NOTE],
      fits: ({ verdict }) => verdict !== 'not_useful',
      body: (_, { note }) => ({ verdict: 'not_useful', ...(note ? { note } : {}) }),
      effect: () => 'was not worth its interruption',
    },
  ],
  details: (row) => <Evidence alert={row} />,
};

export const STANDING: Description<Alert> = {
  ...ALERTS,
  fixed: { status: ['open', 'acknowledged', 'silenced'] },
  filters: ALERTS.filters.filter(({ name }) => name !== 'status'),
  empty: 'Nothing is wrong',
};
