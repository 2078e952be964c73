/**
 * Writing items, and taking a write back: the messages, the undo, and what is read anew afterwards.
 * Belongs here: one write and what follows it. Does not belong here: forms, dialogs and bulk.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

import { api, send, type Table, type Wish } from '../api/client';
import { ApiProblem } from '../api/problem';
import { useFlash } from '../shell/Flash';
import { useMay } from '../shell/session';
import type { Row } from './describe';

/** An item that was written, and the version that it has since; without one it was deleted. */
export interface Written {
  key: string;
  version: number | undefined;
}

const TRIES = 6;
const PAUSE_MS = 400;

/**
 * The change that wrote this version, which is what an undo takes back: never one that somebody else made since, nor the
 * one before, which a history shows that has not heard of the newest yet.
 */
async function changeOf(table: Table, { key, version }: Written): Promise<string> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries > 0) await new Promise((go) => window.setTimeout(go, PAUSE_MS));
    const { data } = await api.GET('/api/history/{table}/{key}', { params: { path: { table, key }, query: { limit: 5 } } });
    const found = data?.items.find((one) => (version === undefined ? one.operation === 'delete' : one.version === version));
    if (found) return found.id;
  }
  throw new Error(`The history of ${key} does not show this change yet. Its panel has an undo for each.`);
}

export interface Writes {
  /** Writes, tells with an undo, reads anew. Throws what the API refused. */
  write: <R extends Row>(method: string, path: string, wish: Wish, told: string) => Promise<R | undefined>;
  /** Tells of rows that were written, with an undo for all of them. */
  told: (words: string, rows: readonly Written[]) => void;
  undo: (changes: readonly string[]) => Promise<void>;
  refresh: () => Promise<void>;
}

export function useWrites(table: Table): Writes {
  const queries = useQueryClient();
  const { tell, fail } = useFlash();
  const mayUndo = useMay();
  // What one table says may be derived from another: everything on the screen is asked again, cheaply.
  const refresh = useCallback(() => queries.invalidateQueries(), [queries]);
  const takeBack = useCallback(
    async (changes: readonly (() => Promise<string> | string)[]) => {
      let done = 0;
      for (const change of changes) {
        try {
          await api.POST('/api/changes/{change_id}/revert', {
            params: { path: { change_id: await change() }, header: { 'x-change-reason': 'undone' } },
          });
          done += 1;
        } catch (error) {
          fail(error, 'Not undone');
        }
      }
      if (done > 0) tell({ type: 'success', content: done === 1 ? 'Undone.' : `${done} changes undone.` });
      await refresh();
    },
    [fail, refresh, tell],
  );
  const undo = useCallback((changes: readonly string[]) => takeBack(changes.map((one) => () => one)), [takeBack]);
  const told = useCallback(
    (words: string, rows: readonly Written[]) => {
      // Only who plans takes changes back; an annotator takes the next step instead.
      const run = () => void takeBack(rows.map((row) => () => changeOf(table, row)));
      tell({ type: 'success', content: words, action: mayUndo && rows.length > 0 ? { text: 'Undo', run } : undefined });
    },
    [table, tell, takeBack, mayUndo],
  );
  const write = useCallback(
    async <R extends Row>(method: string, path: string, wish: Wish, words: string) => {
      let data: R | undefined;
      try {
        data = (await send<R | undefined>(method, path, wish)).data;
      } catch (error) {
        // What was shown is old: the next try is to be of what is there now.
        if (error instanceof ApiProblem && error.status === 412) void refresh();
        throw error;
      }
      const key = data?.key ?? decodeURIComponent(path.split('/')[3] ?? '');
      await refresh();
      told(words, key && data?.version !== wish.version ? [{ key, version: data?.version }] : []);
      return data;
    },
    [refresh, told],
  );
  return { write, told, undo, refresh };
}

export function itemPath(path: string, key: string): string {
  return `${path}/${encodeURIComponent(key)}`;
}
