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

/** Takes up to `most` rows back at once, and answers what stood against it, an error for each row that stays. */
export interface TakingBack {
  most: number;
  take: (rows: readonly Written[]) => Promise<readonly unknown[]>;
}

/** A change that cannot be taken back throws. */
async function reverted(changes: readonly string[]): Promise<readonly unknown[]> {
  for (const change_id of changes) {
    await api.POST('/api/changes/{change_id}/revert', { params: { path: { change_id }, header: { 'x-change-reason': 'undone' } } });
  }
  return [];
}

export interface Writes {
  /** A call that writes. Where somebody else wrote before, all is read anew, so that the next try is of what is there now. */
  call: <T>(method: string, path: string, wish: Wish) => Promise<T>;
  /** Writes, tells with an undo, reads anew. Throws what the API refused. */
  write: <R extends Row>(method: string, path: string, wish: Wish, told: string) => Promise<R | undefined>;
  /** Tells of rows that were written, with an undo for all of them: `by` takes many at once, else each is reverted. */
  told: (words: string, rows: readonly Written[], by?: TakingBack) => void;
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
    async <T>(all: readonly T[], most: number, take: (part: readonly T[]) => Promise<readonly unknown[]>) => {
      const refused: unknown[] = [];
      let told: string | undefined;
      for (let start = 0; start < all.length; start += most) {
        const part = all.slice(start, start + most);
        if (all.length > 1) told = tell({ type: 'in-progress', content: `Taking back: ${start} of ${all.length}` }, told);
        // One that cannot be taken back keeps none of the others.
        refused.push(...(await take(part).catch((error: unknown) => part.map(() => error))));
      }
      const done = all.length - refused.length;
      const words = done === 1 ? 'Undone.' : `${done} changes undone.`;
      if (done > 0 || told) tell({ type: done > 0 ? 'success' : 'info', content: done > 0 ? words : 'Nothing was undone.' }, told);
      if (refused.length > 0) fail(refused[0], all.length > 1 ? `${refused.length} of ${all.length} not undone` : 'Not undone');
      await refresh();
    },
    [fail, refresh, tell],
  );
  const undo = useCallback(
    (changes: readonly string[]) => takeBack(changes, 1, reverted),
    [takeBack],
  );
  const told = useCallback(
    (words: string, rows: readonly Written[], by?: TakingBack) => {
      const each = async (part: readonly Written[]) => reverted(await Promise.all(part.map((row) => changeOf(table, row))));
      // Only who plans takes changes back; an annotator takes the next step instead.
      const run = () => void takeBack(rows, by?.most ?? 1, by?.take ?? each);
      tell({ type: 'success', content: words, action: mayUndo && rows.length > 0 ? { text: 'Undo', run } : undefined });
    },
    [table, tell, takeBack, mayUndo],
  );
  const call = useCallback(
    async <T>(method: string, path: string, wish: Wish) => {
      try {
        return (await send<T>(method, path, wish)).data;
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 412) void refresh();
        throw error;
      }
    },
    [refresh],
  );
  const write = useCallback(
    async <R extends Row>(method: string, path: string, wish: Wish, words: string) => {
      const data = await call<R | undefined>(method, path, wish);
      const key = data?.key ?? decodeURIComponent(path.split('/')[3] ?? '');
      await refresh();
      told(words, key && data?.version !== wish.version ? [{ key, version: data?.version }] : []);
      return data;
    },
    [call, refresh, told],
  );
  return { call, write, told, undo, refresh };
}

export function itemPath(path: string, key: string): string {
  return `${path}/${encodeURIComponent(key)}`;
}
