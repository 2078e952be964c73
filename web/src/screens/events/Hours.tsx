/** Accepted = stored + failed + duplicate + in flight, hour by hour; and the producers of an hour in the panel. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { HereLink } from '../../resource/HereLink';
import { useAddress } from '../../resource/useAddress';
import { SidePanel } from '../../shell/panel';
import { DayPicker } from '../../time/DayPicker';
import { TimeText } from '../../time/TimeText';
import { addDays, dayText } from '../../time/weeks';
import { duration, whole } from './words';

type Hour = Schemas['EventHour'];
const EVERY_MS = 60_000;
const SPANS = ['1', '2', '7', '28'];
const figure = (value: string) => <span className="number">{value}</span>;

export function Hours() {
  const address = useAddress();
  const today = dayText(new Date());
  const last = address.one('last') ?? today;
  const days = SPANS.find((one) => one === address.one('days')) ?? '2';
  const first = addDays(last, 1 - Number(days));
  const { data, error, isPending } = useQuery({
    queryKey: ['events', 'hours', first, last],
    queryFn: async ({ signal }) => (await api.GET('/api/events/hours', { params: { query: { first, last } }, signal })).data,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
  const rows = [...(data?.running ? [data.running] : []), ...[...(data?.items ?? [])].reverse()];
  const wrong = rows.filter(({ holds }) => holds === false).length;
  const opened = rows.find(({ hour }) => hour === address.one('item'));
  return (
    <SpaceBetween size="s">
      {error && <Alert type="error" header="The hours could not be read">{wordsOf(error)}</Alert>}
      <Table
        variant="container"
        contentDensity="compact"
        enableKeyboardNavigation
        items={rows}
        trackBy="hour"
        loading={isPending && !error}
        loadingText="Loading hours"
        ariaLabels={{ tableLabel: 'Balance by hour' }}
        empty={<Box textAlign="center" padding="l">No hour of these days was counted.</Box>}
        header={
          <Header
            variant="h2"
            description="Accepted = stored + failed + duplicate + in flight, of the events that were accepted in the hour. Receipts and stores are counted apart."
            actions={
              <SpaceBetween direction="horizontal" size="xs" alignItems="center">
                {wrong > 0 && <StatusIndicator type="error">{`${wrong} ${wrong === 1 ? 'hour does' : 'hours do'} not balance`}</StatusIndicator>}
                <SegmentedControl
                  label="How many days"
                  selectedId={days}
                  onChange={({ detail }) => address.set({ days: detail.selectedId, item: undefined })}
                  options={SPANS.map((id) => ({ id, text: id === '1' ? '1 day' : `${id} days` }))}
                />
                <DayPicker label="Last day (UTC)" day={last} last={today} onChange={(day) => address.set({ last: day, item: undefined })} />
              </SpaceBetween>
            }
          >
            Balance of each hour
          </Header>
        }
        columnDefinitions={[
          {
            id: 'hour',
            header: 'Hour from',
            isRowHeader: true,
            cell: ({ hour }) => (
              <HereLink to={{ item: hour }}>
                <TimeText instant={hour} />
              </HereLink>
            ),
          },
          { id: 'accepted', header: 'Accepted', cell: ({ accepted }) => figure(whole(accepted)) },
          { id: 'stored', header: 'Stored', cell: ({ stored }) => figure(whole(stored)) },
          { id: 'failed', header: 'Failed', cell: ({ failed }) => figure(whole(failed)) },
          { id: 'duplicate', header: 'Duplicate', cell: ({ duplicate }) => figure(whole(duplicate)) },
          { id: 'flight', header: 'In flight', cell: ({ in_flight }) => figure(whole(in_flight)) },
          { id: 'p95', header: 'p95 to stored', cell: ({ p95_ms }) => figure(duration(p95_ms)) },
          { id: 'holds', header: 'Balance', cell: (hour) => <Balance hour={hour} /> },
        ]}
      />
      {opened && <OneHour hour={opened} onClose={() => address.set({ item: undefined })} />}
    </SpaceBetween>
  );
}

function Balance({ hour: { holds, lost, overdue } }: { hour: Hour }) {
  if (lost > 0) return <StatusIndicator type="error">{`${whole(lost)} lost`}</StatusIndicator>;
  if (holds == null) return <StatusIndicator type="in-progress">the hour runs</StatusIndicator>;
  if (!holds) return <StatusIndicator type="error">does not balance</StatusIndicator>;
  if (overdue > 0) return <StatusIndicator type="warning">{`${whole(overdue)} overdue`}</StatusIndicator>;
  return <StatusIndicator type="success">balances</StatusIndicator>;
}

function OneHour({ hour, onClose }: { hour: Hour; onClose: () => void }) {
  return (
    <SidePanel title="One hour" onClose={onClose}>
      <SpaceBetween size="m">
        <Box>
          From <TimeText instant={hour.hour} />: <Balance hour={hour} />
        </Box>
        {hour.wrong.length > 0 && (
          <Alert type="error" header="What does not fit">
            <ul className="sentences">
              {hour.wrong.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </Alert>
        )}
        <Table
          variant="embedded"
          contentDensity="compact"
          items={hour.producers}
          trackBy="producer"
          ariaLabels={{ tableLabel: 'Producers of the hour' }}
          empty="Nobody sent anything."
          columnDefinitions={[
            { id: 'producer', header: 'Producer', isRowHeader: true, cell: ({ producer }) => <span className="breaks">{producer}</span> },
            { id: 'accepted', header: 'Accepted', cell: ({ accepted }) => figure(whole(accepted)) },
            { id: 'stored', header: 'Stored', cell: ({ stored }) => figure(whole(stored)) },
            { id: 'failed', header: 'Failed', cell: ({ failed }) => figure(whole(failed)) },
            { id: 'duplicate', header: 'Duplicate', cell: ({ duplicate }) => figure(whole(duplicate)) },
          ]}
        />
      </SpaceBetween>
    </SidePanel>
  );
}
