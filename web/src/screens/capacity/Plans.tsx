/** The stored plans of a week, what the engine says of each, and what one has otherwise than another. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { useAddress } from '../../resource/useAddress';
import { TimeText } from '../../time/TimeText';
import { hoursText, isSolved, type Plan, type Shown } from './view';

const LOOKS: Record<Schemas['PlanStatus'], StatusIndicatorProps.Type> = {
  queued: 'pending',
  solving: 'in-progress',
  failed: 'error',
  draft: 'info',
  published: 'success',
  superseded: 'stopped',
  discarded: 'stopped',
};

export function PlanStatus({ plan }: { plan: Plan }) {
  const { status = 'draft' } = plan;
  return <StatusIndicator type={LOOKS[status]}>{status}</StatusIndicator>;
}

interface Props {
  week: string;
  plan: string | undefined;
  plans: readonly Plan[];
  loading: boolean;
  shown: Shown;
}

export function Plans({ week, plan, plans, loading, shown }: Props) {
  const address = useAddress();
  const other = address.one('with');
  const both = plan && other && plan !== other;
  return (
    <SpaceBetween size="m">
      <Table
        variant="container"
        contentDensity="compact"
        enableKeyboardNavigation
        items={plans}
        trackBy="plan_id"
        loading={loading}
        loadingText="Loading plans"
        header={<Header counter={`(${plans.length})`}>Stored plans</Header>}
        ariaLabels={{ tableLabel: 'Stored plans' }}
        empty={<Box color="inherit">Nobody has asked for a plan of this week.</Box>}
        columnDefinitions={[
          { id: 'scenario', header: 'Scenario', isRowHeader: true, cell: ({ scenario }) => scenario },
          { id: 'status', header: 'Status', cell: (one) => <PlanStatus plan={one} /> },
          { id: 'created', header: 'Asked for', cell: ({ created }) => <TimeText instant={created} /> },
          { id: 'assigned', header: 'Planned hours', cell: ({ assigned_hours }) => <Figure of={assigned_hours} /> },
          { id: 'unmet', header: 'Open hours', cell: ({ unmet_hours }) => <Figure of={unmet_hours} /> },
          { id: 'objective', header: 'Points', cell: ({ objective }) => <Figure of={objective} /> },
          { id: 'gap', header: 'Better by at most', cell: ({ gap }) => (gap == null ? '–' : <span className="number">{`${hoursText(Number(gap) * 100)} %`}</span>) },
          {
            id: 'show',
            header: 'Show',
            cell: (one) =>
              !isSolved(one) ? (
                '–'
              ) : one.plan_id === plan ? (
                'shown'
              ) : (
                <SpaceBetween direction="horizontal" size="s">
                  <Button variant="inline-link" ariaLabel={`Show ${one.scenario} of ${one.created}`} onClick={() => address.set({ plan: one.plan_id, with: undefined })}>
                    Show
                  </Button>
                  {plan && (
                    <Button variant="inline-link" ariaLabel={`Compare with ${one.scenario} of ${one.created}`} onClick={() => address.set({ with: one.plan_id })}>
                      Compare
                    </Button>
                  )}
                </SpaceBetween>
              ),
          },
        ]}
      />
      {both && <Difference week={week} plan={plan} other={other} shown={shown} names={new Map(plans.map((one) => [one.plan_id, one.scenario]))} />}
    </SpaceBetween>
  );
}

function Figure({ of }: { of: string | null | undefined }) {
  return <span className="number">{of == null ? '–' : hoursText(Number(of))}</span>;
}

function Difference({ week, plan, other, shown, names }: { week: string; plan: string; other: string; shown: Shown; names: ReadonlyMap<string, string> }) {
  const found = useQuery({
    queryKey: ['plans', 'compare', week, plan, other],
    queryFn: async () =>
      (await api.GET('/api/capacity/{week}/plans/{plan_id}/compare', { params: { path: { week, plan_id: plan }, query: { with: other } } })).data,
    staleTime: Infinity,
  });
  if (found.isPending) return <Spinner />;
  if (found.isError || !found.data) return <Alert type="error">{wordsOf(found.error)}</Alert>;
  const { assignments = [], unmet_hours, moved_hours, objective } = found.data;
  return (
    <Table
      variant="container"
      contentDensity="compact"
      items={assignments}
      trackBy={(one) => `${one.member_id} ${one.project_id}`}
      ariaLabels={{ tableLabel: 'Difference of two plans' }}
      empty={<Box color="inherit">Both plans have the same hours.</Box>}
      header={
        <Header
          counter={`(${assignments.length})`}
          description={`${hoursText(Number(moved_hours))} h lie elsewhere, ${signed(unmet_hours)} h open, ${signed(objective)} points.`}
        >
          {`${names.get(plan) ?? plan} less ${names.get(other) ?? other}`}
        </Header>
      }
      columnDefinitions={[
        { id: 'member', header: 'Member', isRowHeader: true, cell: ({ member_id }) => shown.memberName(member_id) },
        { id: 'project', header: 'Project', cell: ({ project_id }) => shown.nameOf(project_id) },
        { id: 'before', header: names.get(other) ?? 'Other', cell: ({ before }) => <Figure of={before} /> },
        { id: 'after', header: 'Shown', cell: ({ after }) => <Figure of={after} /> },
      ]}
    />
  );
}

function signed(value: string): string {
  const number = Number(value);
  return `${number > 0 ? '+' : ''}${hoursText(number)}`;
}
