/**
 * Writing many rows: first what would happen, then for real, each row with its own answer.
 * Belongs here: asking the API. Does not belong here: the dialog (BulkDialog.tsx).
 */
import { send, type Schemas } from '../api/client';
import { wordsOf } from '../api/problem';
import { patchOf, same, type BulkEdit, type Description, type Field, type Row, type Values, type Verb } from './describe';
import { itemPath } from './useWrites';

/** Of the API. */
const MOST_ROWS = 200;

export type Action<R> = { kind: 'edit'; edit: BulkEdit<R> } | { kind: 'verb'; verb: Verb<R> } | { kind: 'remove' };

export interface Outcome<R> {
  row: R;
  ok: boolean;
  /** What is wrong, or what becomes of it. */
  words: string;
  changes: [field: string, before: unknown, after: unknown][];
  /** The version that the write made; none where nothing is written or the row is deleted. */
  version?: number;
}

/** Of the item of an answer. */
export function versionOf(item: unknown): number | undefined {
  const version = (item as Values | null | undefined)?.version;
  return typeof version === 'number' ? version : undefined;
}

export function needsOf<R>(action: Action<R>, rows: readonly R[]): readonly Field[] {
  if (action.kind === 'edit') return action.edit.fields;
  if (action.kind === 'remove') return [];
  const { fields = [] } = action.verb;
  return typeof fields === 'function' ? fields(rows) : fields;
}

export function titleOf<R>(action: Action<R>): string {
  if (action.kind === 'edit') return action.edit.text;
  return action.kind === 'verb' ? action.verb.text : 'Delete';
}

export async function perform<R extends Row>(
  resource: Description<R>,
  action: Action<R>,
  rows: readonly R[],
  values: Values,
  options: { dry: boolean; reason: string; progress?: (done: number) => void },
): Promise<Outcome<R>[]> {
  if (action.kind === 'verb') return steps(resource, action.verb, rows, values, options);
  const found: Outcome<R>[] = [];
  for (let start = 0; start < rows.length; start += MOST_ROWS) {
    const part = rows.slice(start, start + MOST_ROWS);
    const body = {
      dry_run: options.dry,
      rows: part.map((row) =>
        action.kind === 'remove'
          ? { operation: 'delete', key: row.key, version: row.version }
          : { operation: 'update', key: row.key, version: row.version, fields: patchOf(row, action.edit.change(row, values)) },
      ),
    };
    const { data } = await send<Schemas['BulkResult']>('POST', `${resource.path}/bulk`, { body, reason: options.reason });
    for (const result of data.rows) found.push(outcome(part[result.row] as R, result));
    options.progress?.(found.length);
  }
  return found;
}

function outcome<R extends Row>(row: R, result: Schemas['RowResult']): Outcome<R> {
  const ok = result.status < 400;
  const after = (result.item ?? {}) as Values;
  const before = row as unknown as Values;
  const changes = Object.keys(after)
    .filter((name) => name !== 'version' && !same(before[name], after[name]))
    .map((name): [string, unknown, unknown] => [name, before[name], after[name]]);
  const nothing = ok && result.status === 200 && changes.length === 0;
  const words = ok ? (nothing ? 'stays as it is' : result.status === 204 ? 'is deleted' : '') : (result.detail ?? `answered ${result.status}`);
  return { row, ok, words, changes, version: versionOf(after) };
}

/** A verb has no dry run: its preview says which rows it fits. */
async function steps<R extends Row>(
  resource: Description<R>,
  verb: Verb<R>,
  rows: readonly R[],
  values: Values,
  options: { dry: boolean; reason: string; progress?: (done: number) => void },
): Promise<Outcome<R>[]> {
  const found: Outcome<R>[] = [];
  for (const row of rows) {
    if (verb.fits && !verb.fits(row)) {
      found.push({ row, ok: false, words: `“${verb.text}” does not fit it as it is`, changes: [] });
    } else if (options.dry) {
      found.push({ row, ok: true, words: verb.effect(row, values), changes: [] });
    } else {
      found.push(await step(resource, verb, row, values, options.reason));
    }
    options.progress?.(found.length);
  }
  return found;
}

async function step<R extends Row>(
  resource: Description<R>,
  verb: Verb<R>,
  row: R,
  values: Values,
  reason: string,
): Promise<Outcome<R>> {
  try {
    const body = verb.body?.(row, values);
    const { data } = await send('POST', `${itemPath(resource.path, row.key)}/${verb.verb}`, { body, version: row.version, reason });
    return { row, ok: true, words: verb.effect(row, values), changes: [], version: versionOf(data) };
  } catch (error) {
    return { row, ok: false, words: wordsOf(error), changes: [] };
  }
}
