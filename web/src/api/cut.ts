/**
 * Look-ups that ended before their list did. Belongs here: which ones, and telling who shows it (shell/Flash.tsx).
 * Does not belong here: how many rows a look-up reads.
 */
const cut = new Map<string, number>();
const listeners = new Set<(path: string, rows: number) => void>();

/** Of the list at `path` only so many rows were read; told once. */
export function tellCut(path: string, rows: number): void {
  if (cut.has(path)) return;
  cut.set(path, rows);
  for (const tell of listeners) tell(path, rows);
}

/** Also tells of those that were cut before anybody listened. */
export function onCut(tell: (path: string, rows: number) => void): () => void {
  listeners.add(tell);
  for (const [path, rows] of cut) tell(path, rows);
  return () => void listeners.delete(tell);
}
