/**
 * The sheet of a person in this browser: it outlives a reload, a closed tab, another screen and a session that ended.
 * Belongs here: keeping it, with what was sent and not answered yet. Does not belong here: showing and sending it.
 */
import { useCallback, useSyncExternalStore } from 'react';

import { preference, setPreference, storedAs } from '../../shell/preferences';
import { emptyRow, isEmpty, type Cells, type Sent, type SheetRow } from './sheet';

export interface Draft {
  /** The week that was shown when the first row was typed. */
  week: string | undefined;
  rows: readonly SheetRow[];
  /** While rows are being written: which, and how many of them are. Not kept. */
  progress?: { rows: ReadonlySet<number>; done: number };
}

interface Kept {
  cells: Cells;
  sent?: Sent;
  refused?: string;
}

const BLANK_ROWS = 8;
/** The API keeps an answer for a day: after that, what was sent once more would be written twice. */
const REPEATABLE_MS = 23 * 3_600_000;
/** Whoever signs in after them starts with an empty sheet. */
const nameOf = (sub: string) => `quality-draft.${sub}`;
const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

/** There is always an empty row below. */
export function padded(rows: readonly SheetRow[]): SheetRow[] {
  const last = rows.findLastIndex((row) => !isEmpty(row));
  const missing = Math.max(0, Math.max(BLANK_ROWS, last + 2) - rows.length);
  return [...rows, ...Array.from({ length: missing }, emptyRow)];
}

/** A row as it may go out now: one that was sent too long ago says so, and is not sent again unasked. */
export function repeatable(row: SheetRow): SheetRow {
  const { id, cells, sent } = row;
  if (!sent || Date.now() - sent.at < REPEATABLE_MS) return row;
  return { id, cells, refused: `sent once without an answer: look among the reviews of ${sent.week} before it is written again` };
}

const rowOf = ({ cells, sent, refused }: Kept): SheetRow => repeatable({ ...emptyRow(), cells, sent, refused });

function read(sub: string): Draft {
  const text = preference(nameOf(sub));
  if (!text) return { week: undefined, rows: padded([]) };
  const { week, rows } = JSON.parse(text) as { week?: string; rows: (Kept | Cells)[] };
  // A sheet of before the last upgrade has cells alone.
  return { week, rows: padded(rows.map((row) => rowOf('cells' in row ? row : { cells: row }))) };
}

export function draftOf(sub: string): Draft {
  const found = drafts.get(sub) ?? read(sub);
  drafts.set(sub, found);
  return found;
}

/** Kept before anything else happens: what is sent next must be known as sent. */
export function changeDraft(sub: string, change: (before: Draft) => Draft): void {
  const next = change(draftOf(sub));
  drafts.set(sub, next);
  const rows = next.rows.filter((row) => !isEmpty(row)).map(({ cells, sent, refused }): Kept => ({ cells, sent, refused }));
  setPreference(nameOf(sub), JSON.stringify({ week: next.week, rows }));
  for (const tell of listeners) tell();
}

// Another tab has changed the sheet. One that is being written here goes on with its own rows.
window.addEventListener('storage', ({ key }) => {
  for (const [sub, draft] of drafts) if (key === storedAs(nameOf(sub)) && !draft.progress) drafts.delete(sub);
  for (const tell of listeners) tell();
});

export function useDraft(sub: string): Draft {
  const subscribe = useCallback((tell: () => void) => {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  return useSyncExternalStore(subscribe, () => draftOf(sub));
}
