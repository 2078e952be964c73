/** Events that were not stored: how many of each kind, the list with its filters, and one with its payload. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { TableProps } from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { send, type Query, type Schemas } from '../../api/client';
import { StatusWord } from '../../figures/StatusWord';
import type { Filter } from '../../resource/describe';
import { FiguresTable } from '../../resource/FiguresTable';
import { HereLink } from '../../resource/HereLink';
import { SavedViews } from '../../resource/SavedViews';
import { useAddress, type Address } from '../../resource/useAddress';
import { apiInstant } from '../../time/zone';
import { TimeText } from '../../time/TimeText';
import { FailedEvent } from './FailedEvent';
import { whole } from './words';

type Row = Schemas['FailedEventAnswer'];
type Status = Schemas['FailedStatus'];

const SPANS = ['1', '7', '30'];
const MOST_KINDS = 6;
const spaced = (value: string) => value.replaceAll('_', ' ');
const LOOKS: Record<Status, StatusIndicatorProps.Type> = { open: 'error', replayed: 'success', repeated: 'warning', given_up: 'stopped' };
const FILTERS: readonly Filter[] = [
  { name: 'type', label: 'Type' },
  { name: 'producer', label: 'Producer' },
  { name: 'failure', label: 'Failure', options: ['invalid', 'unknown_type', 'unknown_version', 'conflict', 'undeliverable'], show: spaced },
  { name: 'status', label: 'Status', options: Object.keys(LOOKS), show: spaced },
  { name: 'field', label: 'Field' },
];

const COLUMNS: readonly TableProps.ColumnDefinition<Row>[] = [
  {
    id: 'type',
    header: 'Type',
    isRowHeader: true,
    width: 260,
    cell: ({ key, type }) => <HereLink to={{ item: key }}>{type}</HereLink>,
  },
  { id: 'version', header: 'Version', width: 90, cell: ({ version }) => version ?? '–' },
  { id: 'producer', header: 'Producer', width: 140, cell: ({ producer }) => producer },
  { id: 'failure', header: 'Failure', width: 140, cell: ({ failure }) => spaced(failure) },
  { id: 'status', header: 'Status', width: 120, cell: ({ status }) => <StatusWord type={LOOKS[status]}>{spaced(status)}</StatusWord> },
  { id: 'problem', header: 'First problem', width: 340, cell: ({ problems: [first] }) => (first ? `${first.path || '/'}: ${first.reason}` : '–') },
  { id: 'accepted', header: 'Accepted', width: 235, cell: ({ accepted_at }) => <TimeText instant={accepted_at} /> },
  { id: 'tries', header: 'Sent again', width: 105, cell: ({ replays }) => <span className="number">{replays.length}</span> },
];

/** From the hour on that so many days ago began: a list that is read again within the hour is the same one. */
function since(days: string): string {
  const instant = new Date(Date.now() - Number(days) * 86_400_000);
  instant.setUTCMinutes(0, 0, 0);
  return apiInstant(instant);
}

export function Failed() {
  const address = useAddress();
  const days = SPANS.find((one) => one === address.one('days')) ?? '7';
  // The API takes one value of each: the newest one that was chosen counts.
  const chosen = Object.fromEntries(FILTERS.map(({ name }) => [name, address.state[name]?.at(-1)]));
  const query: Query = { ...chosen, since: since(days) };
  const opened = address.one('item');
  return (
    <SpaceBetween size="s">
      <Kinds query={query} address={address} />
      <FiguresTable
        title="Failed events"
        about="Accepted and not stored, kept with what is wrong. Nothing is lost: mend the schema or the producer, then send them again."
        nouns="failed events"
        empty="No event failed."
        table="events"
        path="/api/events/failed"
        query={query}
        columns={COLUMNS}
        filters={FILTERS}
        keyOf={({ key }) => key}
        actions={
          <SpaceBetween direction="horizontal" size="xs" alignItems="center">
            <SegmentedControl
              label="Accepted within"
              selectedId={days}
              onChange={({ detail }) => address.set({ days: detail.selectedId })}
              options={SPANS.map((id) => ({ id, text: id === '1' ? '24 hours' : `${id} days` }))}
            />
            <SavedViews screen="events" address={address} />
          </SpaceBetween>
        }
      />
      {opened && <FailedEvent key={opened} itemKey={opened} onClose={() => address.set({ item: undefined })} />}
    </SpaceBetween>
  );
}

/** The most frequent kinds; one click filters the list by one. */
function Kinds({ query, address }: { query: Query; address: Address }) {
  const { data } = useQuery({
    queryKey: ['events', 'counts', query],
    queryFn: async ({ signal }) => (await send<Schemas['FailedCounts']>('GET', '/api/events/failed/counts', { query, signal })).data,
  });
  if (!data || data.events === 0) return null;
  return (
    <Box padding={{ horizontal: 'xxs' }}>
      <SpaceBetween direction="horizontal" size="m" alignItems="center">
        <b>
          {whole(data.events)} {data.events === 1 ? 'event' : 'events'}
        </b>
        {data.items.slice(0, MOST_KINDS).map(({ producer, type, failure, status, events }) => (
          <Button key={`${producer} ${type} ${failure} ${status}`} variant="inline-link" onClick={() => address.set({ producer, type, failure, status })}>
            {`${whole(events)} × ${type} of ${producer}: ${spaced(failure)}, ${spaced(status)}`}
          </Button>
        ))}
      </SpaceBetween>
    </Box>
  );
}
