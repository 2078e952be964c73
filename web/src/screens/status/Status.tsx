/**
 * How the platform fares, on one page: what is late or broken stands first, and each figure leads to its screen.
 * Belongs here: the answer of GET /api/status, which a monitor reads too. Does not belong here: a figure of its own.
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { KINDS, LOOKS } from '../../figures/editions';
import { SeverityBadge } from '../../figures/SeverityBadge';
import { useLeave } from '../../shell/useGo';
import { TimeText } from '../../time/TimeText';

type Status = Schemas['Status'];
const EVERY_MS = 60_000;

export default function StatusPage() {
  const { data, error, isPending, refetch, isFetching } = useQuery({
    queryKey: ['status'],
    queryFn: async ({ signal }) => (await api.GET('/api/status', { signal })).data,
    refetchInterval: EVERY_MS,
  });
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={data && <>Version {data.version}, looked at <TimeText instant={data.at} /></>}
        actions={
          <Button iconName="refresh" loading={isFetching} onClick={() => void refetch()}>
            Look again
          </Button>
        }
      >
        Status
      </Header>
      {error && <Alert type="error" header="The status could not be read">{wordsOf(error)}</Alert>}
      {isPending && !error && <Spinner />}
      {data && <Figures status={data} />}
    </SpaceBetween>
  );
}

function Figures({ status }: { status: Status }) {
  const { weeks, events } = status;
  const broken = events.windows.filter(({ events: some, holds }) => some > 0 && !holds);
  return (
    <SpaceBetween size="l">
      <Alert type={status.holds ? 'success' : 'error'} header={status.holds ? 'Everything holds' : 'Something does not hold'}>
        {status.holds ? 'No week is late, no report is missing, and events keep their promises.' : whatFails(status)}
      </Alert>
      <ColumnLayout columns={2}>
        <Part title="Weeks of throughput" to="/throughput" link="Throughput">
          <StatusIndicator type={weeks.late ? 'error' : 'success'}>{weeks.late ? `${weeks.due} is late` : 'in time'}</StatusIndicator>
          <Box>
            {weeks.published ? <>The newest is {weeks.published}, published <TimeText instant={weeks.published_at} /></> : 'No week was published yet.'}
          </Box>
        </Part>
        <Part title="Events" to="/events" link="Events">
          <StatusIndicator type={broken.length > 0 ? 'error' : 'success'}>
            {broken.length > 0 ? `broken over ${broken.map(({ window }) => window).join(', ')}` : 'promises kept'}
          </StatusIndicator>
          <Box>{events.burning.some(({ told }) => told) ? 'An alarm rings.' : 'No alarm rings.'}</Box>
        </Part>
      </ColumnLayout>
      <Table
        header={<Header variant="h2" actions={<Way to="/reports">Reports</Way>}>Newest editions</Header>}
        ariaLabels={{ tableLabel: 'Newest editions' }}
        contentDensity="compact"
        items={status.reports}
        trackBy="report"
        empty={<Box padding="s">No report was made yet.</Box>}
        columnDefinitions={[
          { id: 'report', header: 'Report', isRowHeader: true, cell: ({ report }) => KINDS[report] },
          { id: 'week', header: 'Week', cell: ({ week }) => week },
          { id: 'status', header: 'Status', cell: ({ status: one }) => <StatusIndicator type={LOOKS[one]}>{one}</StatusIndicator> },
          { id: 'created', header: 'Made', cell: ({ created }) => <TimeText instant={created} /> },
          { id: 'sent', header: 'Sent', cell: ({ sent }) => <TimeText instant={sent} /> },
        ]}
      />
      <Table
        header={<Header variant="h2" actions={<Way to="/alerts">Alerts</Way>}>Alerts that nobody has settled</Header>}
        ariaLabels={{ tableLabel: 'Alerts that nobody has settled' }}
        contentDensity="compact"
        items={status.alerts.toReversed()}
        trackBy="severity"
        columnDefinitions={[
          { id: 'severity', header: 'Severity', isRowHeader: true, cell: ({ severity }) => <SeverityBadge severity={severity} /> },
          { id: 'open', header: 'Open', cell: ({ open }) => <span className="number">{open}</span> },
          { id: 'acknowledged', header: 'Acknowledged', cell: ({ acknowledged }) => <span className="number">{acknowledged}</span> },
        ]}
      />
    </SpaceBetween>
  );
}

function Part({ title, to, link, children }: { title: string; to: string; link: string; children: ReactNode }) {
  return (
    <Container header={<Header variant="h2" actions={<Way to={to}>{link}</Way>}>{title}</Header>}>
      <SpaceBetween size="xs">{children}</SpaceBetween>
    </Container>
  );
}

function Way({ to, children }: { to: string; children: string }) {
  const leave = useLeave();
  return (
    <Link
      href={to}
      onFollow={(event) => {
        event.preventDefault();
        leave(to);
      }}
    >
      {children}
    </Link>
  );
}

function whatFails({ weeks, events, missing }: Status): string {
  const found = [
    ...(weeks.late ? [`${weeks.due} has ended for more than a day and is not published.`] : []),
    ...missing.map(({ report, week }) => `The report ${KINDS[report]} of ${week} is due and was not made.`),
    ...(events.windows.some(({ holds }) => !holds) ? ['Events break a promise.'] : []),
  ];
  return found.join(' ');
}
