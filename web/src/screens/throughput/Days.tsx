/** The days of one member and project in one week, in the panel: both clocks side by side, and what was restated. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { SidePanel } from '../../shell/panel';
import { shortDay, weekdayName } from '../../time/weeks';
import { hours } from './hours';
import { dayOf, figureName, useRestated } from './restated';

const figure = (value: number | string | null | undefined) => <span className="number">{value ?? '–'}</span>;

export function Days({ itemKey, onClose }: { itemKey: string; onClose: () => void }) {
  const { data, error, isPending } = useQuery({
    queryKey: ['throughput', 'item', itemKey],
    queryFn: async ({ signal }) => (await api.GET('/api/throughput/{key}', { params: { path: { key: itemKey } }, signal })).data,
  });
  return (
    <SidePanel title={data ? `${data.member_id} on ${data.project_id} in ${data.week}` : 'Days'} onClose={onClose}>
      {isPending && <Spinner />}
      {error && <Alert type="error">{wordsOf(error)}</Alert>}
      {data && (
        <SpaceBetween size="s">
          <Table
            variant="embedded"
            contentDensity="compact"
            items={data.days}
            trackBy="day"
            ariaLabels={{ tableLabel: 'Days of the week' }}
            columnDefinitions={[
              { id: 'day', header: 'Day', isRowHeader: true, cell: ({ day }) => `${weekdayName(day)} ${shortDay(day)}` },
              { id: 'submitted', header: 'Submitted', cell: (day) => figure(day.tasks_submitted) },
              { id: 'returned', header: 'Returned', cell: (day) => figure(day.tasks_returned) },
              { id: 'wall', header: 'Wall clock', cell: (day) => figure(hours(day.wall_seconds)) },
              { id: 'active', header: 'Active', cell: (day) => figure(hours(day.active_seconds)) },
            ]}
          />
          <Box color="text-body-secondary" fontSize="body-s">
            Days are UTC. The wall clock runs from acceptance to submission; active is what the tool saw of it, absent where it does not say.
          </Box>
          <Restated row={data} />
        </SpaceBetween>
      )}
    </SidePanel>
  );
}

/** Nothing where no figure of the row was published as another one. */
function Restated({ row }: { row: Schemas['ThroughputAnswer'] }) {
  const found = (useRestated(row.week).data ?? []).filter(({ member_id, project_id }) => member_id === row.member_id && project_id === row.project_id);
  if (found.length === 0) return null;
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      header={<Box variant="h3">Restated</Box>}
      items={found}
      trackBy={({ new_generation, subject, measure }) => `${new_generation} ${subject} ${measure}`}
      ariaLabels={{ tableLabel: 'Restated figures' }}
      columnDefinitions={[
        { id: 'day', header: 'Day', isRowHeader: true, cell: (one) => dayOf(one) ?? '–' },
        { id: 'figure', header: 'Figure', cell: figureName },
        { id: 'old', header: 'Before', cell: ({ old }) => figure(old == null ? null : Number(old)) },
        { id: 'new', header: 'Now', cell: (one) => figure(one.new == null ? null : Number(one.new)) },
        { id: 'cause', header: 'Cause', cell: ({ cause }) => cause.replaceAll('_', ' ') },
      ]}
    />
  );
}
