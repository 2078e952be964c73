/**
 * Writing items, and taking a write back: the messages, the undo, and what is read anew afterwards.
 * Belongs here: one write and what follows it. Does not belong here: forms, dialogs and bulk.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

import { api, send, type Table, type Wish } from '../api/client';
import { useFlash } from '../shell/Flash';
import { useMay } from '../shell/session';
import type { Row } from './describe';

/** The newest change of an item, which is what an undo takes back. */
async function newestChange(table: Table, key: string): Promise<string | undefined> {
  const { data } = await api.GET('/api/history/{table}/{key}', { params: { path: { table, key }, query: { limit: 1 } } });
  return data?.items[0]?.id;
}

export interface Writes {
  /** Writes, tells with an undo, reads anew. Throws what the API refused. */
  write: <R extends Row>(method: string, path: string, wish: Wish, told: string) => Promise<R | undefined>;
  /** Tells of rows that were written, with an undo for all of them. */
  told: (words: string, keys: readonly string[]) => Promise<void>;
  undo: (changes: readonly string[]) => Promise<void>;
  refresh: () => Promise<void>;
}

export function useWrites(table: Table): Writes {
  const queries = useQueryClient();
  const { tell, fail } = useFlash();
  const mayUndo = useMay();
  // What one table says may be derived from another: everything on the screen is asked again, cheaply.
  const refresh = useCallback(() => queries.invalidateQueries(), [queries]);
  const undo = useCallback(
    async (changes: readonly string[]) => {
      let done = 0;
      for (const change_id of changes) {
        try {
          await api.POST('/api/changes/{change_id}/revert', {
            params: { path: { change_id }, header: { 'x-change-reason': 'undone' } },
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
  const told = useCallback(
    async (words: string, keys: readonly string[]) => {
      // Only who plans takes changes back; an annotator takes the next step instead.
      const found = await Promise.all((mayUndo ? keys : []).map((key) => newestChange(table, key).catch(() => undefined)));
      const changes = found.filter((one) => one !== undefined);
      const action = changes.length > 0 ? { text: 'Undo', run: () => void undo(changes) } : undefined;
      tell({ type: 'success', content: words, action });
    },
    [table, tell, undo, mayUndo],
  );
  const write = useCallback(
    async <R extends Row>(method: string, path: string, wish: Wish, words: string) => {
      const { data } = await send<R | undefined>(method, path, wish);
      const key = data?.key ?? decodeURIComponent(path.split('/')[3] ?? '');
      await Promise.all([refresh(), told(words, key ? [key] : [])]);
      return data;
    },
    [refresh, told],
  );
  return { write, told, undo, refresh };
}

export function itemPath(path: string, key: string): string {
  return `${path}/${encodeURIComponent(key)}`;
}
