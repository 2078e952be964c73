/** Quality reviews as the API knows them. Entering many of them is Entry.tsx, what follows from them Scores.tsx. */
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../../api/client';
import { MemberName } from '../../people/MemberName';
import { Who } from '../../people/Who';
import { ProjectName } from '../../work/ProjectName';
import type { Description, Field } from '../../resource/describe';
import { TimeText } from '../../time/TimeText';

type Review = Schemas['QualityReviewAnswer'] & { version: number; category_name?: string | null };
export const SEVERITIES: readonly Schemas['Severity'][] = ['low', 'medium', 'high', 'critical'];
const SEVERITY: Field = { name: 'severity', label: 'Severity of the worst error', input: { kind: 'choice', options: SEVERITIES } };
const CATEGORY: Field = { name: 'category', label: 'Raw category', input: { kind: 'text' }, required: true, hint: 'The id as it stands in the work; it is read by the taxonomy in force.' };

/** What a raw category is called today; that none calls it anything must be seen. */
export function TodaysCategory({ label }: { label: string | null | undefined }) {
  if (!label) return <>–</>;
  return label.startsWith('unmapped:') ? <StatusIndicator type="warning">unmapped</StatusIndicator> : <>{label}</>;
}

export const REVIEWS: Description<Review> = {
  table: 'quality',
  path: '/api/quality',
  noun: 'review',
  nouns: 'reviews',
  name: ({ member_id, project_id, week }) => `Review of ${member_id} on ${project_id} in ${week}`,
  weekly: true,
  search: 'members, projects, categories and reviewers',
  remove: true,
  empty: 'No reviews of this week',
  columns: [
    { id: 'member', header: 'Member', main: true, sort: 'member_id', width: 185, cell: ({ member_id }) => <MemberName id={member_id} /> },
    { id: 'project', header: 'Project', sort: 'project_id', width: 185, cell: ({ project_id }) => <ProjectName id={project_id} /> },
    { id: 'category', header: 'Raw category', width: 150, cell: ({ category }) => category },
    { id: 'today', header: 'Category today', width: 170, cell: ({ category_name }) => <TodaysCategory label={category_name} /> },
    { id: 'reviewed', header: 'Reviewed', sort: 'reviewed', width: 105, cell: ({ reviewed }) => <span className="number">{reviewed}</span> },
    { id: 'correct', header: 'Correct', sort: 'correct', width: 100, cell: ({ correct }) => <span className="number">{correct}</span> },
    { id: 'severity', header: 'Worst error', width: 115, cell: ({ severity }) => severity ?? '–' },
    { id: 'reviewer', header: 'Reviewer', width: 185, cell: ({ reviewer }) => <Who id={reviewer} /> },
    { id: 'at', header: 'Reviewed at', sort: 'reviewed_at', width: 230, cell: ({ reviewed_at }) => <TimeText instant={reviewed_at} /> },
    { id: 'notes', header: 'Notes', width: 220, cell: ({ notes }) => notes || '–', optional: true },
    { id: 'review_id', header: 'Id', width: 240, cell: ({ review_id }) => review_id, optional: true },
  ],
  filters: [
    { name: 'member_id', label: 'Member id' },
    { name: 'project_id', label: 'Project id' },
    { name: 'category', label: 'Raw category' },
    { name: 'severity', label: 'Worst error', options: SEVERITIES },
  ],
  fields: [
    CATEGORY,
    { name: 'reviewed', label: 'Reviewed', input: { kind: 'number' }, required: true },
    { name: 'correct', label: 'Correct', input: { kind: 'number' }, required: true },
    SEVERITY,
    { name: 'notes', label: 'Notes', input: { kind: 'long' } },
  ],
  bulk: [
    { id: 'category', text: 'Set the raw category', fields: [CATEGORY], change: (_, { category }) => ({ category }) },
    { id: 'severity', text: 'Set the severity', fields: [SEVERITY], change: (_, { severity }) => ({ severity: severity ?? null }) },
  ],
};
