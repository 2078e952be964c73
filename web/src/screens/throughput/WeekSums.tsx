/** Twelve weeks of what is chosen: bars with the band of the four weeks before each, and the same as a table. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Table from '@cloudscape-design/components/table';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { HereLink } from '../../resource/HereLink';
import { hours } from './hours';

// Read with the screen, not behind the figures that it draws.
const chart = import('./TrendChart');
chart.catch(() => undefined); // told where it is drawn
const TrendChart = lazy(() => chart);
const WEEKS = 12;
type Sum = Schemas['ThroughputSum'];

function bandText({ low, high, tasks_submitted: tasks }: Sum): string {
  if (low == null || high == null) return 'too few weeks before';
  const place = tasks < Number(low) ? ' below' : tasks > Number(high) ? ' above' : '';
  return `${Math.round(Number(low))} – ${Math.round(Number(high))}${place}`;
}

interface Chosen {
  week: string;
  member_id: string[] | undefined;
  project_id: string[] | undefined;
}

export const sumsQuery = ({ week, member_id, project_id }: Chosen) =>
  queryOptions({
    queryKey: ['throughput', 'trend', week, member_id, project_id],
    queryFn: async ({ signal }) => (await api.GET('/api/throughput-trend', { params: { query: { week, weeks: WEEKS, member_id, project_id } }, signal })).data?.items ?? [],
  });

export function WeekSums({ week, member_id, project_id }: Chosen) {
  const found = useQuery(sumsQuery({ week, member_id, project_id }));
  return (
    <Container header={<Header variant="h2" description={`Everything that is chosen, ${WEEKS} weeks up to ${week}, with the band of the four weeks before each.`}>Weeks</Header>}>
      {found.isPending && <Spinner />}
      {found.isError && (
        <Alert type="error" header="The weeks could not be read" action={<Button onClick={() => void found.refetch()}>Try again</Button>}>
          {wordsOf(found.error)}
        </Alert>
      )}
      {found.data && (
        <SpaceBetween size="s">
          <Suspense fallback={<Spinner />}>
            <TrendChart weeks={found.data} />
          </Suspense>
          <ExpandableSection headerText="The weeks as figures">
            <Table
              variant="embedded"
              contentDensity="compact"
              items={[...found.data].reverse()}
              trackBy="week"
              ariaLabels={{ tableLabel: 'Weeks' }}
              columnDefinitions={[
                {
                  id: 'week',
                  header: 'Week',
                  isRowHeader: true,
                  cell: (sum) => <HereLink to={{ week: sum.week, item: undefined }}>{sum.week}</HereLink>,
                },
                { id: 'submitted', header: 'Submitted', cell: ({ tasks_submitted }) => <span className="number">{tasks_submitted}</span> },
                { id: 'band', header: 'Band of the four weeks before', cell: (sum) => <span className="number">{bandText(sum)}</span> },
                { id: 'wall', header: 'Wall clock', cell: ({ wall_seconds }) => <span className="number">{hours(wall_seconds)}</span> },
                { id: 'active', header: 'Active', cell: ({ active_seconds }) => <span className="number">{hours(active_seconds)}</span> },
              ]}
            />
            <Box color="text-body-secondary" fontSize="body-s">
              Active is the sum of those whose tool reports it; the wall clock is that of all.
            </Box>
          </ExpandableSection>
        </SpaceBetween>
      )}
    </Container>
  );
}
