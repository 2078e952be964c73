/**
 * A POST that had no answer may have been written. The same wish, sent again, carries the same Idempotency-Key, so that
 * the API writes it once. Belongs here: which wishes are open. Does not belong here: sending them (client.ts).
 */
const open = new Map<string, string>();
/** The answers after which nothing is known: another call with the key still runs, or the platform is too busy. */
const UNDECIDED: ReadonlySet<number> = new Set([409, 429]);

/** The key of a wish: the one that it went out with before, unless that was answered. */
export function keyOf(wish: string): string {
  const key = open.get(wish) ?? crypto.randomUUID();
  open.set(wish, key);
  return key;
}

/** Whether it is known after an answer of this status what became of the wish. */
export const isDecided = (status: number): boolean => status < 500 && !UNDECIDED.has(status);

/** The wish was answered with this status: the next of the same words is another one. */
export function answeredWith(wish: string, status: number): void {
  if (isDecided(status)) open.delete(wish);
}
