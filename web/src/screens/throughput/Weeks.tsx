/** Published throughput of a week by member and project, down to the days; and moving what is misattributed. */
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { TableProps } from '@cloudscape-design/components/table';
import type { QueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Schemas } from '../../api/client';
import { PLANNERS } from '../../auth/roles';
import { MemberName } from '../../people/MemberName';
import { membersQuery } from '../../people/useMembers';
import { FiguresTable, figuresQuery } from '../../resource/FiguresTable';
import { HereLink } from '../../resource/HereLink';
import { SavedViews } from '../../resource/SavedViews';
import { useAddress, type State } from '../../resource/useAddress';
import { later } from '../../shell/later';
import { useMay } from '../../shell/session';
import { NowBar } from '../../time/AsOf';
import { ProjectName } from '../../work/ProjectName';
import { projectsQuery } from '../../work/useProjects';
import { useWeek, weekIn } from '../../time/useWeek';
import { thisWeek } from '../../time/WeekPicker';
import { addWeeks } from '../../time/weeks';
import { Days } from './Days';
import { hours } from './hours';
import { restatedQuery, useRestated } from './restated';
import { sumsQuery, WeekSums } from './WeekSums';

const Reassign = later(async () => (await import('./Reassign')).Reassign);

type Row = Schemas['ThroughputRow'];
const SORT = '-tasks_submitted';
const LIST = { table: 'throughput', path: '/api/throughput', sort: SORT };
const FILTERS = [
  { name: 'member_id', label: 'Member id' },
  { name: 'project_id', label: 'Project id' },
  { name: 'resolved', label: 'Attributed', options: ['true', 'false'], show: (value: string) => (value === 'true' ? 'yes' : 'no') },
] as const;
const figure = (value: number | string) => <span className="number">{value}</span>;

function columnsOf(restated: ReadonlySet<string>): readonly TableProps.ColumnDefinition<Row>[] {
  return [
    {
      id: 'member',
      header: 'Member',
      sortingField: 'member_id',
      isRowHeader: true,
      width: 190,
      cell: ({ key, member_id }) => (
        <HereLink to={{ item: key }}>
          <MemberName id={member_id} />
        </HereLink>
      ),
    },
    { id: 'project', header: 'Project', sortingField: 'project_id', width: 190, cell: ({ project_id }) => <ProjectName id={project_id} /> },
    { id: 'submitted', header: 'Submitted', sortingField: 'tasks_submitted', width: 130, cell: ({ tasks_submitted }) => figure(tasks_submitted) },
    { id: 'returned', header: 'Returned', width: 100, cell: ({ tasks_returned }) => figure(tasks_returned) },
    { id: 'declined', header: 'Declined', width: 100, cell: ({ tasks_declined }) => figure(tasks_declined) },
    { id: 'wall', header: 'Wall clock', sortingField: 'wall_seconds', width: 130, cell: ({ wall_seconds }) => figure(hours(wall_seconds)) },
    { id: 'active', header: 'Active', width: 85, cell: ({ active_seconds }) => figure(hours(active_seconds)) },
    { id: 'rate', header: 'Tasks/h', width: 90, cell: ({ tasks_per_hour }) => figure(tasks_per_hour == null ? '–' : Number(tasks_per_hour).toFixed(1)) },
    { id: 'remarks', header: 'Remarks', width: 125, cell: (row) => <Remarks row={row} restated={restated.has(`${row.member_id} ${row.project_id}`)} /> },
  ];
}

/** What one should know before reading the figures: whose nobody knows, and what was published as something else. */
function Remarks({ row, restated }: { row: Row; restated: boolean }) {
  return (
    <SpaceBetween direction="horizontal" size="xxs">
      {!row.worker_resolved && <Badge color="severity-medium">no member</Badge>}
      {!row.project_resolved && <Badge color="severity-medium">no project</Badge>}
      {restated && <Badge color="blue">restated</Badge>}
    </SpaceBetween>
  );
}

const queryOf = (week: string, { member_id, project_id, resolved }: State) => ({
  week,
  member_id: member_id ?? [],
  project_id: project_id ?? [],
  resolved: resolved?.[0],
});

/** Asks for what is shown, before it is drawn. */
export function askAhead(queries: QueryClient, state: State): void {
  const week = weekIn(state) ?? addWeeks(thisWeek(), -1);
  const { member_id, project_id } = state;
  void queries.prefetchInfiniteQuery(figuresQuery<Row>({ ...LIST, query: queryOf(week, state) }, state));
  void queries.prefetchQuery(sumsQuery({ week, member_id, project_id }));
  void queries.prefetchQuery(membersQuery());
  void queries.prefetchQuery(projectsQuery());
  void queries.prefetchQuery(restatedQuery(week));
}

export function Weeks() {
  const address = useAddress();
  const mayMove = useMay(PLANNERS);
  const week = useWeek(address, -1);
  const [moving, setMoving] = useState<{ rows: readonly Row[]; keep: (keys: readonly string[]) => void } | undefined>();
  const { member_id, project_id } = address.state;
  const query = queryOf(week, address.state);
  const known = useRestated(week).data;
  const restated = known ?? [];
  const asOf = address.one('as_of');
  const since = restated.filter(({ restated_at }) => asOf && Date.parse(restated_at) > Date.parse(asOf)).length;
  const opened = address.one('item');
  return (
    <SpaceBetween size="s">
      <NowBar asOf={asOf} onBack={() => address.set({ as_of: undefined })}>
        {known && `Of ${week} ${since === 1 ? '1 figure was' : `${since || 'no'} figures were`} restated since. `}
        <HereLink to={{ tab: 'restatements', week, sort: undefined, item: undefined }}>Restatements</HereLink>
      </NowBar>
      <WeekSums week={week} member_id={member_id} project_id={project_id} />
      <FiguresTable
        title="Throughput"
        about="As published. Hours on the wall clock, and of activity where the tool reports it. Moved work follows when the week is computed again."
        nouns="throughput"
        empty="Nothing is published of this week."
        {...LIST}
        query={query}
        columns={columnsOf(new Set(restated.map((one) => `${one.member_id} ${one.project_id}`)))}
        filters={FILTERS}
        week={week}
        keyOf={({ key }) => key}
        exported={{ list: 'throughput', all: { week } }}
        nameOf={(row) => `${row.member_id} on ${row.project_id}`}
        actions={<SavedViews screen="throughput" address={address} />}
        ofChosen={
          mayMove
            ? (rows, keep) => (
                <Button disabled={rows.length === 0} onClick={() => setMoving({ rows, keep })}>
                  {rows.length > 0 ? `Move ${rows.length}` : 'Move'}
                </Button>
              )
            : undefined
        }
      />
      {moving && (
        <Reassign
          rows={moving.rows}
          onClose={(failed) => {
            setMoving(undefined);
            if (failed) moving.keep(failed);
          }}
        />
      )}
      {opened && <Days key={opened} itemKey={opened} onClose={() => address.set({ item: undefined })} />}
    </SpaceBetween>
  );
}
