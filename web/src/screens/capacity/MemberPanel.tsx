/** One member's week: each project with its hours, what a person can decide about it, and why the plan is like that. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';

import { api } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { SidePanel } from '../../shell/panel';
import { daysOf, weekdayName } from '../../time/weeks';
import { hoursText, type Line, type Piece } from './view';

interface Props {
  week: string;
  plan: string | undefined;
  line: Line;
  nameOf: (project: string) => string;
  mayWrite: boolean;
  onPin: (piece: Piece) => void;
  onReassign: (piece: Piece) => void;
  onSet: () => void;
  onClose: () => void;
}

export function MemberPanel({ week, plan, line, nameOf, mayWrite, onPin, onReassign, onSet, onClose }: Props) {
  return (
    <SidePanel title={line.name} onClose={onClose}>
      <SpaceBetween size="l">
        <Box>
          {hoursText(line.planned)} of {hoursText(line.available)} h in {week}
        </Box>
        {line.pieces.map((piece) => (
          <div key={piece.project} className="plan-of-member">
            <Box variant="h3">{nameOf(piece.project)}</Box>
            <Box>
              {daysOf(week)
                .filter((day) => (piece.byDay[day] ?? 0) > 0)
                .map((day) => `${weekdayName(day)} ${hoursText(piece.byDay[day] ?? 0)}`)
                .join(' · ') || 'kept off this project'}
            </Box>
            <StatusIndicator type={piece.pinned ? 'info' : 'pending'}>{stateOf(piece, plan)}</StatusIndicator>
            {mayWrite && (
              <SpaceBetween direction="horizontal" size="xs">
                <Button ariaLabel={`${piece.pinned ? 'Unpin' : 'Pin'} ${nameOf(piece.project)}`} onClick={() => onPin(piece)}>
                  {piece.pinned ? 'Unpin' : 'Pin'}
                </Button>
                {!plan && piece.row && (
                  <Button ariaLabel={`Reassign ${nameOf(piece.project)}`} onClick={() => onReassign(piece)}>
                    Reassign
                  </Button>
                )}
              </SpaceBetween>
            )}
          </div>
        ))}
        {line.pieces.length === 0 && <Box color="text-body-secondary">No hours in this week.</Box>}
        {mayWrite && <Button onClick={onSet}>Pin hours on a project</Button>}
        {plan && <Why week={week} plan={plan} of={{ member_id: line.member }} />}
      </SpaceBetween>
    </SidePanel>
  );
}

function stateOf(piece: Piece, plan: string | undefined): string {
  if (piece.pinned) return 'pinned: every plan keeps it';
  return plan ? 'proposed by this plan' : 'stands';
}

/** What the engine says about a member or a demand line. */
export function Why({ week, plan, of }: { week: string; plan: string; of: { member_id: string } | { line: string } }) {
  const found = useQuery({
    queryKey: ['plans', 'why', week, plan, of],
    queryFn: async () =>
      (await api.GET('/api/capacity/{week}/plans/{plan_id}/explanation', { params: { path: { week, plan_id: plan }, query: of } })).data,
    staleTime: Infinity,
  });
  return (
    <SpaceBetween size="xs">
      <Box variant="h3">Why</Box>
      {found.isPending && <Spinner />}
      {found.isError && <Alert type="error">{wordsOf(found.error)}</Alert>}
      {found.data && (
        <ul className="sentences">
          {found.data.sentences.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
    </SpaceBetween>
  );
}
