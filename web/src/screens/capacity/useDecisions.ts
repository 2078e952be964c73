/**
 * What a person decides about a week: pins, publications, and taking them back. Each write tells what happened.
 * Belongs here: the calls. Does not belong here: dialogs and what is shown.
 */
import { useQueryClient } from '@tanstack/react-query';

import { everyRow, send } from '../../api/client';
import { ApiProblem } from '../../api/problem';
import type { Allocation } from '../../people/week';
import { patchOf } from '../../resource/describe';
import { itemPath, useWrites } from '../../resource/useWrites';
import { useFlash } from '../../shell/Flash';
import type { Publication } from './PublishDialog';
import type { Piece, WeekPlan } from './view';

const PATH = '/api/allocations';

export function useDecisions(week: string, standing: readonly Allocation[], memberName: (member: string) => string) {
  const queries = useQueryClient();
  const { write, told, refresh } = useWrites('allocations');
  const { tell, fail } = useFlash();
  const rowOf = (member: string, project: string) => standing.find((row) => row.member_id === member && row.project_id === project);

  /** Exactly these hours from now on, over the row that was looked at. Throws what the API refuses. */
  async function setHours(member: string, project: string, hours: Record<string, string>, over: Allocation | undefined) {
    const words = `Pinned hours of ${memberName(member)}.`;
    if (over) {
      await write('PATCH', itemPath(PATH, over.key), { body: patchOf(over, { hours, pinned: true }), version: over.version }, words);
      return;
    }
    try {
      await write('POST', PATH, { body: { member_id: member, week, project_id: project, hours, pinned: true } }, words);
    } catch (error) {
      // Somebody wrote some meanwhile: told with them, as of a row that was changed.
      if (!(error instanceof ApiProblem) || error.status !== 409) throw error;
      const [current] = await everyRow<Allocation>(PATH, { week, member_id: member, project_id: project });
      void refresh();
      throw current ? new ApiProblem(412, { ...error.body, current: { ...current } }) : error;
    }
  }

  /** Keeps a piece as it is shown, or lets plans decide about it again. */
  async function toggle(piece: Piece) {
    const row = piece.row;
    try {
      if (row && (row.pinned ?? false) && piece.pinned) {
        await write('PATCH', itemPath(PATH, row.key), { body: { pinned: false }, version: row.version }, `Unpinned hours of ${memberName(piece.member)}.`);
      } else {
        const hours = Object.fromEntries(Object.entries(piece.byDay).map(([day, value]) => [day, String(value)]));
        await setHours(piece.member, piece.project, hours, rowOf(piece.member, piece.project));
      }
    } catch (error) {
      fail(error, 'Not written');
    }
  }

  /** The publication that was looked at. Taken back `again`, it stands again. */
  async function takeBack({ week: of, publication = 0 }: WeekPlan, again = false) {
    try {
      const { data } = await send<Publication>('POST', `/api/capacity/${of}/unpublish`, { version: publication, reason: 'taken back' });
      const words = again ? `The publication of ${of} stands again.` : `The publication of ${of} was taken back.`;
      const kept = data.kept?.length ?? 0;
      tell({
        type: 'success',
        content: `${words} ${data.changes?.length ?? 0} rows changed.${kept > 0 ? ` ${kept} rows were edited since and stay.` : ''}`,
        action: { text: 'Undo', run: () => void takeBack(data.week, !again) },
      });
    } catch (error) {
      fail(error, 'Not taken back');
    }
    await queries.invalidateQueries();
  }

  function published({ week: now, changes, kept }: Publication) {
    const stayed = kept?.length ? ` ${kept.length} rows stay as somebody wrote them.` : '';
    tell({
      type: 'success',
      content: `Published: ${changes?.length ?? 0} rows changed.${stayed}`,
      action: { text: 'Undo', run: () => void takeBack(now) },
    });
    void queries.invalidateQueries();
  }

  return { setHours, toggle, takeBack, published, told, refresh };
}
