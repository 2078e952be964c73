/**
 * All members by id: for names in lists, and for the rows of calendars. Read once, kept for a minute.
 * Belongs in people/: what several screens need of members. Does not: what one screen shows of them.
 */
import { useQuery } from '@tanstack/react-query';

import { everyRow, type Schemas } from '../api/client';

export type Member = Schemas['MemberAnswer'] & { version: number };

const FRESH_MS = 60_000;
const MOST = 1_000;

export function useMembers(asOf?: string) {
  return useQuery({
    queryKey: ['members', 'all', asOf],
    queryFn: ({ signal }) => everyRow<Member>('/api/members', { sort: 'name', as_of: asOf }, MOST, signal),
    staleTime: FRESH_MS,
  });
}
