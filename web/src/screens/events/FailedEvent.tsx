/** A failed event: what is wrong and where, how to send it again, every try, and the event as it was accepted. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { SidePanel } from '../../shell/panel';
import { TimeText } from '../../time/TimeText';

type Whole = Schemas['FailedEventWhole'];

export function FailedEvent({ itemKey, onClose }: { itemKey: string; onClose: () => void }) {
  const { data, error, isPending } = useQuery({
    queryKey: ['events', 'failed', itemKey],
    queryFn: async ({ signal }) => (await api.GET('/api/events/failed/{key}', { params: { path: { key: itemKey } }, signal })).data,
  });
  return (
    <SidePanel title={data ? `${data.type} of ${data.producer}` : 'Failed event'} onClose={onClose}>
      {isPending && <Spinner />}
      {error && <Alert type="error">{wordsOf(error)}</Alert>}
      {data && <Shown event={data} />}
    </SidePanel>
  );
}

function Shown({ event }: { event: Whole }) {
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'Failure', value: event.failure.replaceAll('_', ' ') },
          { label: 'Status', value: event.status.replaceAll('_', ' ') },
          { label: 'Source', value: <span className="breaks">{event.source}</span> },
          { label: 'Event id', value: <span className="breaks">{event.event_id}</span> },
          { label: 'Accepted', value: <TimeText instant={event.accepted_at} /> },
          { label: 'Failed', value: <TimeText instant={event.failed_at} /> },
          { label: 'Schema version', value: event.version ?? '–' },
          { label: 'Found by', value: `${event.component} ${event.component_version}` },
        ]}
      />
      <Table
        variant="embedded"
        contentDensity="compact"
        wrapLines
        header={<Box variant="h3">What is wrong</Box>}
        items={event.problems}
        trackBy={({ path, rule, reason }) => `${path} ${rule} ${reason}`}
        ariaLabels={{ tableLabel: 'What is wrong with the event' }}
        empty="Nothing with its data."
        columnDefinitions={[
          { id: 'path', header: 'Field', isRowHeader: true, cell: ({ path }) => <code className="breaks">{path || '/'}</code> },
          { id: 'reason', header: 'Reason', cell: ({ reason }) => <span className="breaks">{reason}</span> },
          { id: 'rule', header: 'Rule', cell: ({ rule }) => rule },
        ]}
      />
      {event.replays.length > 0 && (
        <Table
          variant="embedded"
          contentDensity="compact"
          header={<Box variant="h3">Sent again</Box>}
          items={event.replays}
          trackBy="run"
          ariaLabels={{ tableLabel: 'Times it was sent again' }}
          columnDefinitions={[
            { id: 'at', header: 'When', isRowHeader: true, cell: ({ at }) => <TimeText instant={at} /> },
            { id: 'versions', header: 'Version', cell: ({ old_version, new_version }) => `${old_version ?? '–'} → ${new_version ?? '–'}` },
          ]}
        />
      )}
      <Again event={event} />
      <div>
        <Box variant="h3">The event</Box>
        <pre className="payload" tabIndex={0} aria-label="The event as it was accepted">
          {JSON.stringify(event.payload, null, 2)}
        </pre>
      </div>
    </SpaceBetween>
  );
}

/** What brings it in, by its failure; the command line does that, for all events of a kind. */
function Again({ event }: { event: Whole }) {
  if (event.status !== 'open') return null;
  if (event.failure === 'conflict') {
    return <Alert type="info">Another event has this source and id, with another payload. It is never sent again: its producer gives it an id of its own.</Alert>;
  }
  const first = event.failure === 'undeliverable' ? 'It was a fault of ours. ' : 'When the schema is mended: ';
  return (
    <Alert type="info">
      {first}
      <code className="breaks">prism events replay --type {event.type} --failure {event.failure}</code>
    </Alert>
  );
}
