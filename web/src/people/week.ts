/**
 * Hours of a member over days and weeks: by contract, less approved time off and public holidays. The rules of
 * prism_core/availability.py, for showing; what is planned with is computed by the engine.
 */
import { queryOptions, useQuery } from '@tanstack/react-query';

import { api, everyRow, type Schemas } from '../api/client';
import type { TimeOff } from './timeOff';
import type { Member } from './useMembers';
import { daysOf, weekdayOf } from '../time/weeks';

export type Allocation = Schemas['AllocationAnswer'];
const HOUR_MS = 3_600_000;
const MOST_ROWS = 10_000;

export interface Day {
  day: string;
  contracted: number;
  off: number;
  holiday: string | undefined;
  entry: TimeOff | undefined;
}

export function dayOf(member: Member, day: string, entry: TimeOff | undefined, holiday: string | undefined): Day {
  const contracted = Number(member.hours?.[weekdayOf(day)] ?? 0);
  const approved = entry?.status === 'approved' ? Number(entry.hours_off) : 0;
  return { day, contracted, off: holiday ? contracted : Math.min(contracted, approved), holiday, entry };
}

export const timeOffQuery = (first: string, last: string, asOf: string | undefined) =>
  queryOptions({
    queryKey: ['availability', 'weeks', first, last, asOf],
    queryFn: ({ signal }) =>
      everyRow<TimeOff>('/api/availability', { week_from: first, week_to: last, as_of: asOf }, MOST_ROWS, signal),
  });

export const useTimeOff = (first: string, last: string, asOf: string | undefined) => useQuery(timeOffQuery(first, last, asOf));

export const allocationsQuery = (first: string, last: string, asOf: string | undefined) =>
  queryOptions({
    queryKey: ['allocations', 'weeks', first, last, asOf],
    queryFn: ({ signal }) =>
      everyRow<Allocation>('/api/allocations', { week_from: first, week_to: last, as_of: asOf }, MOST_ROWS, signal),
  });

export const useAllocations = (first: string, last: string, asOf: string | undefined) => useQuery(allocationsQuery(first, last, asOf));

const NONE: ReadonlyMap<string, string> = new Map();

/** Names of public holidays by `location day`, of the years that the weeks touch. */
export function useHolidays(members: readonly Member[], weeks: readonly string[]): ReadonlyMap<string, string> {
  const location = [...new Set(members.map(({ location }) => location).filter((one) => one != null))].sort();
  const year = [...new Set(weeks.flatMap(daysOf).map((day) => Number(day.slice(0, 4))))];
  const found = useQuery({
    queryKey: ['holidays', location, year],
    queryFn: async ({ signal }) => {
      const { data } = await api.GET('/api/holidays', { params: { query: { location, year } }, signal });
      return new Map((data?.items ?? []).map((one) => [`${one.location} ${one.date}`, one.name]));
    },
    enabled: location.length > 0,
    staleTime: HOUR_MS,
    structuralSharing: false,
  });
  return found.data ?? NONE;
}
