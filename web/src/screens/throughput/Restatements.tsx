/** Published figures that are other ones now, and why. */
import Badge from '@cloudscape-design/components/badge';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { TableProps } from '@cloudscape-design/components/table';

import { MemberName } from '../../people/MemberName';
import { FiguresTable } from '../../resource/FiguresTable';
import { SavedViews } from '../../resource/SavedViews';
import { useAddress } from '../../resource/useAddress';
import { NowBar } from '../../time/AsOf';
import { TimeText } from '../../time/TimeText';
import { ProjectName } from '../../work/ProjectName';
import { dayOf, figureName, type Restatement } from './restated';

const number = (value: string | null | undefined) => <span className="number">{value == null ? '–' : Number(value)}</span>;
const COLUMNS: readonly TableProps.ColumnDefinition<Restatement>[] = [
  { id: 'week', header: 'Week', sortingField: 'week', width: 100, cell: ({ week }) => week },
  { id: 'member', header: 'Whose', isRowHeader: true, width: 185, cell: ({ member_id: id }) => (id ? <MemberName id={id} /> : 'everybody together') },
  { id: 'project', header: 'Project', width: 180, cell: ({ project_id: id }) => (id ? <ProjectName id={id} /> : '–') },
  { id: 'day', header: 'Day', width: 130, cell: (row) => dayOf(row) ?? 'the whole week' },
  { id: 'measure', header: 'Figure', sortingField: 'measure', width: 150, cell: figureName },
  { id: 'old', header: 'Before', width: 80, cell: ({ old }) => number(old) },
  { id: 'new', header: 'Now', width: 75, cell: (row) => number(row.new) },
  { id: 'cause', header: 'Cause', width: 125, cell: ({ cause }) => <Badge>{cause.replaceAll('_', ' ')}</Badge> },
  { id: 'at', header: 'Restated', sortingField: 'restated_at', width: 215, cell: ({ restated_at }) => <TimeText instant={restated_at} /> },
  { id: 'reason', header: 'Reason', width: 200, cell: ({ reason }) => reason ?? '–' },
];
const FILTERS = [
  { name: 'week', label: 'Week' },
  { name: 'member_id', label: 'Member id' },
  { name: 'project_id', label: 'Project id' },
  { name: 'cause', label: 'Cause' },
  { name: 'measure', label: 'Figure' },
] as const;

export function Restatements() {
  const address = useAddress();
  const chosen = Object.fromEntries([...FILTERS.map(({ name }) => name), 'q'].map((name) => [name, address.state[name]] as const));
  return (
    <SpaceBetween size="s">
      <NowBar asOf={address.one('as_of')} onBack={() => address.set({ as_of: undefined })}>
        What was restated after that instant was not known then, and stood as Before.
      </NowBar>
      <FiguresTable
        title="Restatements"
        about="Published figures that are other ones now, with the cause; a move beyond the limit has its reason."
        nouns="restatements"
        empty="No published figure has changed."
        table="restatements"
        path="/api/restatements"
        query={{ ...(chosen as Record<string, string[]>), table: 'throughput' }}
        sort="-restated_at"
        columns={COLUMNS}
        filters={FILTERS}
        exported={{ list: 'restatements', all: { table: 'throughput' } }}
        nameOf={({ week, subject, measure }) => `${measure} of ${subject} in ${week}`}
        actions={<SavedViews screen="throughput" address={address} />}
        search="subjects and reasons"
        keyOf={({ key }) => key}
      />
    </SpaceBetween>
  );
}
