/** Corrections: work that counts for somebody else than the records say. Shared by Quality and Throughput. */
import type { Schemas } from '../api/client';
import { Who } from '../people/Who';
import type { Description, Field } from '../resource/describe';
import { TimeText } from '../time/TimeText';
import { addWeeks, wholeDay } from '../time/weeks';
import { thisWeek } from '../time/WeekPicker';

type Correction = Schemas['CorrectionAnswer'] & { version: number };
type FactTable = Schemas['FactTable'];

const members = { kind: 'of-list', list: '/api/members', value: 'member_id', show: ({ name }: { name: string }) => name } as const;
const projects = { kind: 'of-list', list: '/api/projects', value: 'project_id', show: ({ name }: { name: string }) => name } as const;
const placeOf = (member?: string | null, project?: string | null) => [member, project].filter(Boolean).join(' on ') || '–';

/** A correction in one line, where one is chosen. */
export const correctionText = ({ week, from_member, from_project, to_member, to_project, reason }: Correction): string =>
  `${week}: ${placeOf(from_member, from_project)} → ${placeOf(to_member, to_project)}, “${reason}”`;

const DAYS: Field = {
  name: 'days',
  label: 'Days',
  input: { kind: 'text' },
  hint: 'The whole week without them. Several are separated by spaces, such as 2026-01-05 2026-01-06.',
};
const REVIEW: Field = { name: 'review_id', label: 'Review', input: { kind: 'text' }, hint: 'Only this one; else all that match.' };

/** Of one kind of figures. */
export function corrections(table: FactTable): Description<Correction> {
  return {
    table: 'corrections',
    path: '/api/corrections',
    noun: 'correction',
    nouns: 'corrections',
    name: ({ week, from_member, from_project }) => `${placeOf(from_member, from_project)} in ${week}`,
    sort: '-week',
    span: 'of the last twelve weeks',
    search: 'reasons',
    fixed: { table },
    create: true,
    remove: true,
    empty: 'No corrections',
    columns: [
      { id: 'week', header: 'Week', main: true, sort: 'week', width: 110, cell: ({ week }) => week },
      { id: 'from', header: 'Counts as', sort: 'from_member', width: 260, cell: ({ from_member, from_project }) => placeOf(from_member, from_project) },
      { id: 'to', header: 'Belongs to', sort: 'to_member', width: 260, cell: ({ to_member, to_project }) => placeOf(to_member, to_project) },
      { id: 'days', header: 'Days', width: 190, cell: ({ days }) => days?.map(wholeDay).join(', ') || 'the whole week' },
      { id: 'reason', header: 'Reason', width: 300, cell: ({ reason }) => reason },
      { id: 'by', header: 'By', width: 170, cell: ({ created_by }) => <Who id={created_by} /> },
      { id: 'created', header: 'When', sort: 'created', width: 230, cell: ({ created }) => <TimeText instant={created} /> },
    ],
    filters: [
      { name: 'week', label: 'Week' },
      { name: 'from_member', label: 'Counts as member' },
      { name: 'to_member', label: 'Belongs to member' },
      { name: 'from_project', label: 'Counts as project' },
      { name: 'to_project', label: 'Belongs to project' },
    ],
    fields: [
      { name: 'table', label: 'Of', input: { kind: 'choice', options: [table] }, required: true, initial: table, once: true },
      { name: 'week', label: 'Week', input: { kind: 'text' }, required: true, starts: () => addWeeks(thisWeek(), -1), once: true },
      { name: 'from_member', label: 'Counts as member', input: { kind: 'text' }, hint: 'An id, or an identity that nobody has named, such as worker:….', once: true },
      { name: 'from_project', label: 'Counts as project', input: { kind: 'text' }, hint: 'An id, or a labelling job such as job:….', once: true },
      { name: 'to_member', label: 'Belongs to member', input: members, once: true },
      { name: 'to_project', label: 'Belongs to project', input: projects, once: true },
      { ...(table === 'throughput' ? DAYS : REVIEW), once: true },
      { name: 'reason', label: 'Why', input: { kind: 'long' }, required: true, once: true },
    ],
    sent: ({ days, ...rest }) => (typeof days === 'string' ? { ...rest, days: days.split(/[\s,;]+/).filter(Boolean) } : { ...rest, ...(days ? { days } : {}) }),
  };
}
