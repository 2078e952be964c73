/**
 * The Capacity screen: the week as it stands or as a plan proposes it, the engine, and the publication of a plan.
 * Belongs here: what is shown and which dialog is open. Does not belong here: calls (view.ts, useDecisions.ts).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import TextFilter from '@cloudscape-design/components/text-filter';
import type { QueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { wordsOf } from '../../api/problem';
import { ExportMenu } from '../../resource/ExportMenu';
import { SavedViews } from '../../resource/SavedViews';
import { ScreenTabs } from '../../resource/ScreenTabs';
import { useAddress, useStillHere, type State } from '../../resource/useAddress';
import { useFlash } from '../../shell/Flash';
import { useMay } from '../../shell/session';
import { AsOfBar, AsOfPicker } from '../../time/AsOf';
import { useWeek, weekIn } from '../../time/useWeek';
import { thisWeek, WeekPicker } from '../../time/WeekPicker';
import { Figures } from './Figures';
import { Grid } from './Grid';
import { MemberPanel } from './MemberPanel';
import { Open } from './Open';
import { PinDialog } from './PinDialog';
import { Plans } from './Plans';
import { PublishDialog } from './PublishDialog';
import { ReassignDialog } from './ReassignDialog';
import { RunDialog } from './RunDialog';
import { TakeBackDialog } from './TakeBackDialog';
import { useDecisions } from './useDecisions';
import { Utilisation } from './Utilisation';
import { askAhead, isSolved, isWaiting, usePlans, usePublished, useShown, type Line, type Piece, type WeekPlan } from './view';

/** Parameters of the address that all tabs share. */
const SHARED = ['week', 'plan', 'q'];

export function ahead(queries: QueryClient, state: State): void {
  askAhead(queries, weekIn(state) ?? thisWeek(), state.as_of?.[0]);
}

export default function Capacity() {
  const address = useAddress();
  const stillHere = useStillHere();
  const { tell } = useFlash();
  const asOf = address.one('as_of');
  const mayWrite = useMay() && !asOf;
  const week = useWeek(address);
  const wanted = asOf ? undefined : address.one('plan');
  const plans = usePlans(week, !asOf);
  const published = usePublished(week, !asOf);
  const named = plans.data?.find(({ plan_id }) => plan_id === wanted);
  const plan = named && isSolved(named) ? named : undefined;
  // Without a plan that is looked at, what is open is what the published one leaves.
  const ofOpen = plan?.plan_id ?? published.data?.plan_id ?? undefined;
  const shown = useShown(week, plan?.plan_id, asOf);
  const decisions = useDecisions(week, shown.standing, shown.memberName);
  const [running, setRunning] = useState(false);
  const [publishing, setPublishing] = useState(false);
  const [takingBack, setTakingBack] = useState<WeekPlan | undefined>();
  const [pinning, setPinning] = useState<{ line: Line; project?: string; more?: number } | undefined>();
  const [moving, setMoving] = useState<{ piece: Piece; onto?: string } | undefined>();

  const sought = (address.one('q') ?? '').toLowerCase();
  const lines = shown.lines.filter(
    ({ name, team, member, pieces }) =>
      !sought || `${name} ${team} ${member} ${pieces.map(({ project }) => shown.nameOf(project)).join(' ')}`.toLowerCase().includes(sought),
  );
  const opened = shown.lines.find(({ member }) => member === address.one('member'));
  const open = (line: Line) => address.set({ member: line.member, line: undefined });
  const onePiece = (line: Line, pieces: readonly Piece[], act: (piece: Piece) => void) => {
    const [piece] = pieces;
    if (mayWrite && piece && pieces.length === 1) act(piece);
    else open(line);
  };
  const reassign = (piece: Piece, onto?: string) => {
    if (plan) tell({ type: 'info', content: 'A proposal is not reassigned: pin hours, and run the engine again; or publish it first.' });
    else setMoving({ piece, onto });
  };
  // As it stands now: what somebody else changed while the dialog was open is what the next try is of.
  const movingRow = moving && shown.standing.find(({ key }) => key === moving.piece.row?.key);
  const error = shown.error ?? plans.error ?? published.error;
  const waiting = plans.data?.find(isWaiting);

  return (
    <SpaceBetween size="s">
      {asOf && <AsOfBar asOf={asOf} onBack={() => address.set({ as_of: undefined })} />}
      <Header
        variant="h1"
        description={plan ? `Proposed by the plan “${plan.scenario}”; nothing of it stands until it is published.` : 'What stands: published plans and what people wrote.'}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <SavedViews screen="capacity" address={address} />
            <ExportMenu
              table="allocations"
              selected={[]}
              filtered={lines.length > 0 ? { week, as_of: asOf, member_id: sought ? lines.map(({ member }) => member) : undefined } : undefined}
              filteredText={`What stands of the ${lines.length} members found`}
              all={{ week, as_of: asOf }}
              allText={`What stands in ${week}`}
            />
            <AsOfPicker asOf={asOf} onChange={(instant) => address.set({ as_of: instant, plan: undefined, with: undefined })} />
            {plan && <Button onClick={() => address.set({ plan: undefined, with: undefined })}>Show what stands</Button>}
            {mayWrite && !plan && (published.data?.publication ?? 0) > 0 && published.data?.plan && (
              <Button onClick={() => setTakingBack(published.data)}>Take the publication back</Button>
            )}
            {mayWrite && <Button onClick={() => setRunning(true)}>Run the engine</Button>}
            {mayWrite && plan && (
              <Button variant="primary" disabled={plan.plan_id === published.data?.plan_id} onClick={() => setPublishing(true)}>
                Publish
              </Button>
            )}
          </SpaceBetween>
        }
      >
        Capacity
      </Header>
      <WeekPicker week={week} onChange={(next) => address.set({ week: next, plan: undefined, with: undefined, line: undefined })} />
      {error && <Alert type="error">{wordsOf(error)}</Alert>}
      {named?.status === 'failed' && (
        <Alert type="error" header="The week could not be planned">
          {(named.errors ?? []).map((one) => (
            <div key={one}>{one}</div>
          ))}
        </Alert>
      )}
      {waiting && (
        <Alert type="info" header={`The plan “${waiting.scenario}” is ${waiting.status === 'queued' ? 'waiting for the engine' : 'being solved'}`}>
          <Spinner /> It is shown when it is solved; you can go on working.
        </Alert>
      )}
      {wanted && plans.data && !named && <Alert type="warning">{`${week} has no plan ${wanted}; this is what stands.`}</Alert>}
      <Figures lines={shown.lines} plan={plan} published={published.data} />
      <ScreenTabs
        label="Capacity"
        keep={SHARED}
        tabs={[
          {
            id: 'grid',
            label: 'Members and days',
            content: (
              <SpaceBetween size="xs">
                <div className="plan-tools">
                  <TextFilter
                    filteringText={address.one('q') ?? ''}
                    filteringPlaceholder="Find members, teams and projects"
                    filteringAriaLabel="Find members, teams and projects"
                    countText={`${lines.length} of ${shown.lines.length} members`}
                    onChange={({ detail }) => address.set({ q: detail.filteringText || undefined }, 'typed')}
                  />
                  <Box color="text-body-secondary" fontSize="body-s">
                    Arrows move, Enter opens{mayWrite && `, P pins or unpins, M reassigns${plan ? '' : '; or drag a project to somebody else'}`}.
                    {shown.start && ` Left out of names: “${shown.start.trim()}”.`}
                  </Box>
                </div>
                {shown.loading ? <Spinner /> : (
                  <Grid
                    week={week}
                    lines={lines}
                    nameOf={shown.nameOf}
                    start={shown.start}
                    onOpen={open}
                    onPin={(line, pieces) => onePiece(line, pieces, (piece) => void decisions.toggle(piece))}
                    onReassign={(line, pieces) => onePiece(line, pieces, reassign)}
                    onDrop={mayWrite && !plan ? (piece, line) => reassign(piece, line.member) : undefined}
                  />
                )}
              </SpaceBetween>
            ),
          },
          { id: 'utilisation', label: 'Utilisation', content: <Utilisation week={week} shown={shown} /> },
          {
            id: 'open',
            label: 'Open demand',
            content: ofOpen ? (
              <Open
                week={week}
                plan={ofOpen}
                shown={shown}
                mayWrite={mayWrite}
                onPin={(member, project, more) => {
                  const line = shown.lines.find((one) => one.member === member);
                  if (line) setPinning({ line, project, more });
                }}
              />
            ) : (
              <Box color="text-body-secondary">
                {published.isLoading ? <Spinner /> : 'Open demand is told of a plan, and none is published: run the engine, or choose a stored plan.'}
              </Box>
            ),
          },
          {
            id: 'plans',
            label: 'Plans',
            content: <Plans week={week} plan={plan?.plan_id} plans={plans.data ?? []} loading={plans.isPending && !asOf} shown={shown} />,
          },
        ]}
      />
      {opened && (
        <MemberPanel
          week={week}
          plan={plan?.plan_id}
          line={opened}
          nameOf={shown.nameOf}
          mayWrite={mayWrite}
          onPin={(piece) => void decisions.toggle(piece)}
          onReassign={reassign}
          onSet={() => setPinning({ line: opened })}
          onClose={() => address.set({ member: undefined })}
        />
      )}
      {running && (
        <RunDialog
          week={week}
          lines={shown.lines}
          onClose={() => setRunning(false)}
          onAsked={(asked) => {
            setRunning(false);
            if (stillHere()) address.set({ plan: asked.plan_id, with: undefined });
            void plans.refetch();
          }}
        />
      )}
      {publishing && plan && (
        <PublishDialog
          plan={plan}
          memberName={shown.memberName}
          nameOf={shown.nameOf}
          onClose={() => setPublishing(false)}
          onOvertaken={() => void decisions.refresh()}
          onPublished={(done) => {
            setPublishing(false);
            if (stillHere()) address.set({ plan: undefined, with: undefined });
            decisions.published(done);
          }}
        />
      )}
      {takingBack && (
        <TakeBackDialog
          published={takingBack}
          onClose={() => setTakingBack(undefined)}
          onTakeBack={() => {
            setTakingBack(undefined);
            void decisions.takeBack(takingBack);
          }}
        />
      )}
      {pinning && <PinDialog week={week} {...pinning} standing={shown.standing} onClose={() => setPinning(undefined)} onSave={decisions.setHours} />}
      {movingRow && moving && (
        <ReassignDialog
          piece={moving.piece}
          row={movingRow}
          onto={moving.onto}
          onOvertaken={() => void decisions.refresh()}
          lines={shown.lines}
          nameOf={shown.nameOf}
          onClose={() => setMoving(undefined)}
          onMoved={(words, written) => {
            setMoving(undefined);
            void decisions.refresh();
            decisions.told(words, [written]);
          }}
        />
      )}
    </SpaceBetween>
  );
}
