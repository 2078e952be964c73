/** Demand that stays open in a plan, shown or published: how much, what keeps it open, and who could take it, the best first. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button, { type ButtonProps } from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import { api, type Schemas } from '../../api/client';
import { ApiProblem, wordsOf } from '../../api/problem';
import { useAddress } from '../../resource/useAddress';
import { SidePanel } from '../../shell/panel';
import { Why } from './MemberPanel';
import { hoursText, useDocument, type Shown } from './view';

interface Props {
  week: string;
  plan: string;
  shown: Shown;
  mayWrite: boolean;
  /** Hours of a member on a project: so many more, where that is known. */
  onPin: (member: string, project: string, more: number) => void;
}

const REASONS: Record<Schemas['Constraint'], string> = {
  nobody: 'the week has no members',
  no_skill: 'nobody has the skills',
  no_hours: 'everybody who could has better work',
  time_off: 'time off of those who could',
  people_limit: 'the most people of the project',
  few_people: 'the fewest people at once',
  project_limit: 'the most projects of a member',
  block: 'the shortest piece of work',
  choice: 'whom the plan chose',
  pin: 'a pin',
  excluded: 'somebody is kept off the project',
  published: 'hours stay where they were published',
  no_demand: 'nothing open that they could do',
  not_worth: 'it would cost more than it earns',
};

const candidatesLabel = (line: string) => `Candidates for ${line}`;

export function Open({ week, plan, shown, mayWrite, onPin }: Props) {
  const address = useAddress();
  const document = useDocument(week, plan);
  const reasons = useQuery({
    queryKey: ['plans', 'reasons', week, plan],
    queryFn: async () => (await api.GET('/api/capacity/{week}/plans/{plan_id}/explanation', { params: { path: { week, plan_id: plan } } })).data,
    staleTime: Infinity,
    // A week that is too large to be explained whole is explained line by line.
    retry: false,
  });
  const tooLarge = reasons.error instanceof ApiProblem && reasons.error.status === 422;
  const open = document.data?.unmet ?? [];
  const unplaced = Object.entries(document.data?.unplaced ?? {});
  const why = new Map((reasons.data?.unmet ?? []).map((one) => [one.line_id, one]));
  const line = address.one('line');
  const opened = open.find((one) => one.line === line);
  return (
    <SpaceBetween size="m">
      {document.isError && <Alert type="error">{wordsOf(document.error)}</Alert>}
      {reasons.isError && !tooLarge && <Alert type="error">{wordsOf(reasons.error)}</Alert>}
      {unplaced.length > 0 && (
        <Alert type="warning" header="Requests that no project takes up">
          {unplaced.map(([request, words]) => (
            <div key={request}>
              {request}: {words}
            </div>
          ))}
        </Alert>
      )}
      <Table
        variant="container"
        contentDensity="compact"
        enableKeyboardNavigation
        wrapLines
        items={open}
        trackBy="line"
        loading={document.isPending}
        loadingText="Loading open demand"
        header={<Header counter={`(${open.length})`}>Open demand</Header>}
        ariaLabels={{ tableLabel: 'Open demand' }}
        empty={<Box color="inherit">All demand of the week is planned.</Box>}
        columnDefinitions={[
          { id: 'project', header: 'Project', isRowHeader: true, cell: ({ project_id }) => shown.nameOf(project_id) },
          { id: 'line', header: 'Demand line', cell: (one) => one.line },
          { id: 'hours', header: 'Open hours', cell: ({ hours }) => <span className="number">{hoursText(Number(hours))}</span> },
          {
            id: 'why',
            header: 'What keeps it open',
            cell: (one) => {
              const found = why.get(one.line);
              return found ? REASONS[found.constraint] : reasons.isPending ? 'asking' : 'see who could';
            },
          },
          {
            id: 'change',
            header: 'What would help most',
            cell: (one) => {
              const change = why.get(one.line)?.change;
              return change ? `${change.kind.replaceAll('_', ' ')}: ${shown.memberName(change.member_id)}` : '–';
            },
          },
          {
            id: 'who',
            header: 'Who could',
            cell: (one) => (
              <Button variant="inline-link" wrapText={false} ariaLabel={candidatesLabel(one.line)} onClick={() => address.set({ line: one.line, member: undefined })}>
                Candidates
              </Button>
            ),
          },
        ]}
      />
      {opened && (
        <SidePanel title={`${shown.nameOf(opened.project_id)}: ${hoursText(Number(opened.hours))} h open`} onClose={() => address.set({ line: undefined })}>
          <SpaceBetween size="l">
            <Candidates week={week} plan={plan} line={opened.line} memberName={shown.memberName} onPin={mayWrite ? (member, more) => onPin(member, opened.project_id, Math.min(more, Number(opened.hours))) : undefined} />
            <Why week={week} plan={plan} of={{ line: opened.line }} />
          </SpaceBetween>
        </SidePanel>
      )}
    </SpaceBetween>
  );
}

function Candidates({
  week,
  plan,
  line,
  memberName,
  onPin,
}: {
  week: string;
  plan: string;
  line: string;
  memberName: (member: string) => string;
  onPin: ((member: string, more: number) => void) | undefined;
}) {
  const best = useRef<ButtonProps.Ref>(null);
  const found = useQuery({
    queryKey: ['plans', 'candidates', week, plan, line],
    queryFn: async () =>
      (await api.GET('/api/capacity/{week}/plans/{plan_id}/candidates', { params: { path: { week, plan_id: plan }, query: { line } } })).data,
    staleTime: Infinity,
  });
  const candidates = found.data?.candidates ?? [];
  const first = candidates[0]?.member_id;
  // Who asked for candidates goes on with the best of them; a link that is opened takes the focus from nobody.
  useEffect(() => {
    const asked = document.activeElement?.getAttribute('aria-label');
    if (first !== undefined && asked === candidatesLabel(line)) best.current?.focus();
  }, [first, line]);
  if (found.isPending) return <Spinner />;
  if (found.isError) return <Alert type="error">{wordsOf(found.error)}</Alert>;
  if (candidates.length === 0) return <Box color="text-body-secondary">Nobody who has the skills has an hour more.</Box>;
  return (
    <ol className="sentences">
      {candidates.map((one) => (
        <li key={one.member_id} className="candidate">
          <div>
            <strong>{memberName(one.member_id)}</strong>{' '}
            {one.kept_out && <StatusIndicator type="stopped">{REASONS[one.kept_out]}</StatusIndicator>}
            <Box color="text-body-secondary" fontSize="body-s">
              {one.sentence}
            </Box>
          </div>
          {onPin && (
            <Button
              ref={one.member_id === first ? best : undefined}
              ariaLabel={`Pin hours of ${memberName(one.member_id)}`}
              onClick={() => onPin(one.member_id, Number(one.hours))}
            >
              Pin hours
            </Button>
          )}
        </li>
      ))}
    </ol>
  );
}
