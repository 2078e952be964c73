/**
 * All members by id: for names in lists, and for the rows of calendars. Read once, kept for a minute.
 * Belongs in people/: what several screens need of members. Does not: what one screen shows of them.
 */
import { queryOptions, useQuery } from '@tanstack/react-query';

import { everyRow, type Schemas } from '../api/client';
import { onceOf } from '../api/onceOf';

export type Member = Schemas['MemberAnswer'] & { version: number };

const FRESH_MS = 60_000;
const MOST = 5_000;

export const membersQuery = (asOf?: string) =>
  queryOptions({
    queryKey: ['members', 'all', asOf],
    queryFn: ({ signal }) => everyRow<Member>('/api/members', { sort: 'name', as_of: asOf }, MOST, signal),
    staleTime: FRESH_MS,
  });

export const useMembers = (asOf?: string) => useQuery(membersQuery(asOf));

const namesOf = onceOf((members: readonly Member[]) => new Map(members.map(({ member_id, name }) => [member_id, name])));
const NOBODY: readonly Member[] = [];

/** Names by id. */
export const useMemberNames = (): ReadonlyMap<string, string> => namesOf(useMembers().data ?? NOBODY);

/** The same where one of them is to be shown; else nobody is asked for. */
export const useMemberNamesIf = (wanted: boolean): ReadonlyMap<string, string> => namesOf(useQuery({ ...membersQuery(), enabled: wanted }).data ?? NOBODY);
