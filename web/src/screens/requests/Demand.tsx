/** What a request asks of the weeks that it touches, against the hours that people have there; and its steps. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { Who } from '../../people/Who';
import { useAddress } from '../../resource/useAddress';
import { TimeText } from '../../time/TimeText';
import { mondayOf, shortDay } from '../../time/weeks';
import { Late } from './late';
import type { Request } from './descriptions';

type Week = Schemas['WeekDemandOf'];

export function Demand({ request }: { request: Request }) {
  const asOf = useAddress().one('as_of');
  const open = request.status !== 'declined' && request.status !== 'fulfilled';
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'Status', value: request.status ?? 'submitted' },
          { label: 'Late', value: <Late request={request} /> },
          { label: 'Asked', value: <TimeText instant={request.created} /> },
          { label: 'Triaged', value: <TimeText instant={request.triaged} /> },
          { label: 'Decided', value: <TimeText instant={request.decided} /> },
          { label: 'By', value: <Who id={request.decided_by} /> },
          ...(request.decision ? [{ label: 'Why', value: request.decision }] : []),
          ...(request.fulfilled ? [{ label: 'Fulfilled', value: <TimeText instant={request.fulfilled} /> }] : []),
        ]}
      />
      {open && !asOf && <Weeks request={request} />}
    </SpaceBetween>
  );
}

function Weeks({ request }: { request: Request }) {
  const found = useQuery({
    queryKey: ['requests', 'demand', request.key, request.version],
    queryFn: async () => (await api.GET('/api/requests/{key}/demand', { params: { path: { key: request.key } } })).data,
  });
  if (found.isPending) return <Spinner />;
  if (found.isError) return <Alert type="error">{wordsOf(found.error)}</Alert>;
  const weeks = found.data?.items ?? [];
  const supposed = request.status === 'approved' ? '' : ', if it is approved now';
  return (
    <SpaceBetween size="xs">
      <Box variant="h3">{`Hours by week${supposed}`}</Box>
      {!request.project_id && <Alert type="warning">It names no project: approved like this, its hours are not planned.</Alert>}
      <Table
        variant="embedded"
        contentDensity="compact"
        items={weeks}
        trackBy="week"
        ariaLabels={{ tableLabel: 'Hours of the request by week' }}
        empty={<Box color="inherit">It asks for no hours from this week on: its due date has passed.</Box>}
        columnDefinitions={[
          {
            id: 'week',
            header: 'Week',
            isRowHeader: true,
            cell: ({ week }) => (
              <span className="nowrap">
                {week} <Box variant="span" color="text-body-secondary" fontSize="body-s">{shortDay(mondayOf(week))}</Box>
              </span>
            ),
          },
          { id: 'fits', header: 'Room', cell: (week) => <Room week={week} /> },
          { id: 'hours', header: 'Asked', cell: ({ hours }) => <Hours of={hours} /> },
          { id: 'others', header: 'Others', cell: ({ others }) => <Hours of={others} /> },
          { id: 'available', header: 'People have', cell: ({ available }) => <Hours of={available} /> },
          { id: 'able', header: 'With the skills', cell: ({ able }) => <Hours of={able} /> },
        ]}
      />
      {weeks.length > 0 && (
        <Box color="text-body-secondary" fontSize="body-s">
          People have: contract less holidays and time off, approved or asked for. Who of them works on what, the plan of the week decides.
        </Box>
      )}
    </SpaceBetween>
  );
}

function Hours({ of }: { of: string }) {
  return <span className="number">{Math.round(Number(of) * 10) / 10}</span>;
}

function Room({ week }: { week: Week }) {
  const [hours, left, able] = [Number(week.hours), Number(week.available) - Number(week.others), Number(week.able)];
  if (able < hours) return <StatusIndicator type="error">{`${Math.ceil(hours - able)} h too few with the skills`}</StatusIndicator>;
  if (left < hours) return <StatusIndicator type="warning">{`${Math.ceil(hours - left)} h too few in all`}</StatusIndicator>;
  return <StatusIndicator type="success">{`${Math.floor(left - hours)} h stay free`}</StatusIndicator>;
}
