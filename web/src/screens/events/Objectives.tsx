/** What the pipeline promises, what it is over each window, and whether somebody is told. */
import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { duration, percent, whole } from './words';

const EVERY_MS = 60_000;
const NAMES: Record<string, string> = { '5m': '5 minutes', '30m': '30 minutes', '1h': 'Hour', '6h': '6 hours', '1d': 'Day', '28d': '4 weeks' };
const nameOf = (window: string) => NAMES[window] ?? window;
const figure = (value: string) => <span className="number">{value}</span>;

export function Objectives() {
  const { data, error, isPending } = useQuery({
    queryKey: ['events', 'objectives'],
    queryFn: async ({ signal }) => (await api.GET('/api/events/objectives', { signal })).data,
    refetchInterval: EVERY_MS,
  });
  if (error) return <Alert type="error" header="The promises could not be read">{wordsOf(error)}</Alert>;
  const promised = data && `Stored within ${duration(data.p95_ms)} (95 of 100), ${percent(data.success, 1)} stored, at most ${percent(data.loss, 3)} lost. Burn rate 1 uses up exactly what may be missed.`;
  return (
    <Container
      header={
        <Header variant="h1" description={promised} actions={data && <Burning burning={data.burning} />}>
          Promises
        </Header>
      }
    >
      <Table
        variant="embedded"
        contentDensity="compact"
        items={data?.windows ?? []}
        trackBy="window"
        loading={isPending}
        loadingText="Loading the promises"
        ariaLabels={{ tableLabel: 'Promises by window' }}
        columnDefinitions={[
          { id: 'window', header: 'Last', isRowHeader: true, cell: ({ window }) => nameOf(window) },
          { id: 'events', header: 'Events', cell: ({ events }) => figure(whole(events)) },
          { id: 'p95', header: 'p95 to stored', cell: ({ p95_ms }) => figure(duration(p95_ms)) },
          { id: 'success', header: 'Stored', cell: ({ success }) => figure(percent(success)) },
          { id: 'loss', header: 'Lost', cell: ({ loss }) => figure(percent(loss, 3)) },
          { id: 'burn', header: 'Burn rate', cell: ({ burn }) => figure(burn.toFixed(2)) },
          { id: 'holds', header: 'Promise', cell: ({ events, holds }) => <Holds events={events} holds={holds} /> },
        ]}
      />
    </Container>
  );
}

function Holds({ events, holds }: { events: number; holds: boolean }) {
  if (events === 0) return <StatusIndicator type="pending">no events</StatusIndicator>;
  return <StatusIndicator type={holds ? 'success' : 'error'}>{holds ? 'kept' : 'broken'}</StatusIndicator>;
}

/** An alarm rings when both windows of a pair burn faster than its rate. */
function Burning({ burning }: { burning: Schemas['EventObjectives']['burning'] }) {
  const told = burning.filter((one) => one.told);
  if (told.length === 0) return <StatusIndicator type="success">No alarm rings</StatusIndicator>;
  return (
    <SpaceBetween size="xxs">
      {told.map(({ long, short, rate }) => (
        <StatusIndicator key={`${long} ${short}`} type="error">
          {`Burns more than ${rate} times too fast over ${nameOf(long).toLowerCase()} and ${nameOf(short).toLowerCase()}`}
        </StatusIndicator>
      ))}
    </SpaceBetween>
  );
}
