/**
 * The way to the API: typed by its own document, with the token of the session, failures as exceptions.
 * Belongs here: one call. Does not belong here: lists with pages (resource/useList.ts) and what is shown.
 */
import createClient, { type Middleware } from 'openapi-fetch';

import { accessToken, renewed, tellEnded, tokenAtHand } from '../auth/session';
import { tellCut } from './cut';
import { Offline, problemOf, SignedOut } from './problem';
import { answeredWith, keyOf } from './repeats';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
/** A table whose items have a history; `throughput`, which is computed, has none. */
export type Table = paths['/api/history/{table}/{key}']['get']['parameters']['path']['table'];
/** Parameters of a query, repeated for several values. */
export type Query = Record<string, string | string[] | number | undefined>;

async function authorised(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await sent(request, tokenAtHand() ?? (await accessToken()));
  if (answer.status !== 401) return answer;
  // The token ran out on the way, or was revoked: once more with a new one, then the session is over.
  if (!(await renewed())) throw ended();
  const second = await sent(again, await accessToken());
  if (second.status === 401) throw ended();
  return second;
}

/** Tells the shell, which asks to sign in over whatever is open. */
function ended(): SignedOut {
  tellEnded();
  return new SignedOut();
}

async function sent(request: Request, token: string | undefined): Promise<Response> {
  if (!token) throw ended();
  request.headers.set('Authorization', `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Offline();
  }
}

const throwing: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
    return response;
  },
};

/** `api.GET('/api/members', …)`: typed paths, parameters and answers. Throws ApiProblem, Offline or SignedOut. */
export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: authorised });
api.use(throwing);

export interface Wish {
  query?: Query;
  body?: unknown;
  /** The version that was read, for If-Match. */
  version?: number;
  /** Why: kept in the change log. */
  reason?: string;
  /** Of a POST: the key of its repeats, where who sends it keeps one. */
  repeats?: string;
  signal?: AbortSignal;
}

export interface Answer<T> {
  data: T;
  status: number;
}

/** A call whose path is known at run time only: what descriptions of resources need. */
export async function send<T>(method: string, path: string, wish: Wish = {}): Promise<Answer<T>> {
  const headers = new Headers();
  if (wish.version !== undefined) headers.set('If-Match', `"${wish.version}"`);
  if (wish.reason) headers.set('X-Change-Reason', headerText(wish.reason));
  if (wish.body !== undefined) headers.set('Content-Type', 'application/json');
  const url = `${window.location.origin}${path}${queryText(wish.query)}`;
  const body = wish.body === undefined ? undefined : JSON.stringify(wish.body);
  const words = `${url} ${wish.version ?? ''} ${wish.reason ?? ''} ${body ?? ''}`;
  if (method === 'POST') headers.set('Idempotency-Key', wish.repeats ?? keyOf(words));
  const answer = await authorised(new Request(url, { method, headers, body, signal: wish.signal }));
  if (!wish.repeats) answeredWith(words, answer.status);
  if (!answer.ok) throw await problemOf(answer);
  const text = answer.status === 204 ? '' : await answer.text();
  return { data: (text ? JSON.parse(text) : undefined) as T, status: answer.status };
}

/** A file of the API, such as a picture. */
export async function blobOf(path: string, signal?: AbortSignal): Promise<Blob> {
  const answer = await authorised(new Request(`${window.location.origin}${path}`, { signal }));
  if (!answer.ok) throw await problemOf(answer);
  return answer.blob();
}

export function queryText(query: Query | undefined): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== '') found.append(name, String(one));
    }
  }
  const text = found.toString();
  return text ? `?${text}` : '';
}

/** A header holds ASCII: anything else travels as RFC 8187 writes it. */
export function headerText(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return /^[\x20-\x7e]*$/.test(line) ? line : `UTF-8''${encodeURIComponent(line)}`;
}

/** All rows of a list, page after page; for look-ups of a few hundred rows, never for a table. Beyond `most` it ends, and says so. */
export async function everyRow<T>(path: string, query: Query, most = 2000, signal?: AbortSignal): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await send<{ items: T[]; next?: string | null }>('GET', path, {
      query: { ...query, limit: 200, cursor },
      signal,
    });
    rows.push(...data.items);
    cursor = data.next ?? undefined;
  } while (cursor && rows.length < most);
  if (cursor) tellCut(path, rows.length);
  return rows;
}
