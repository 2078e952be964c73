/**
 * A week of work as one shape, whether it stands (allocations) or is proposed (a stored plan): lines of members with
 * pieces of projects. Belongs here: reading both and joining them. Does not belong here: showing and writing.
 */
import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';

import { api, everyRow, type Schemas } from '../../api/client';
import { membersQuery, useMembers, type Member } from '../../people/useMembers';
import { allocationsQuery, dayOf, timeOffQuery, useAllocations, useHolidays, useTimeOff, type Allocation } from '../../people/week';
import { projectsQuery, useProjects } from '../../work/useProjects';
import { daysOf } from '../../time/weeks';

export type Plan = Schemas['PlanAnswer'];
export type Document = Schemas['PlanDocument'];
export type WeekPlan = Schemas['WeekPlan'];

const POLL_MS = 1_000;
const MOST_PLANS = 500;
/** Characters of a name that a cell of a day has room for. */
const FITTING = 12;

/** A member's hours on a project in the week. With `row` they stand; without they are only proposed. */
export interface Piece {
  member: string;
  project: string;
  byDay: Readonly<Record<string, number>>;
  total: number;
  pinned: boolean;
  row: Allocation | undefined;
}

export interface Line {
  member: string;
  name: string;
  team: string;
  /** Hours that the member has, by day where that is known. */
  available: number;
  availableBy: Readonly<Record<string, number>> | undefined;
  planned: number;
  pieces: readonly Piece[];
}

export interface Shown {
  lines: readonly Line[];
  standing: readonly Allocation[];
  document: Document | undefined;
  nameOf: (project: string) => string;
  /** What all names of projects of the week begin with, where they are too long for a cell. */
  start: string;
  memberName: (member: string) => string;
  loading: boolean;
  error: Error | null;
}

const NOTHING: readonly never[] = [];

export const isWaiting = ({ status }: Plan) => status === 'queued' || status === 'solving';
export const isSolved = ({ status }: Plan) => status === 'draft' || status === 'published' || status === 'superseded';

/** The stored plans of a week, the newest first; asked again while one of them is being solved. */
export function usePlans(week: string, wanted: boolean) {
  return useQuery({
    ...plansQuery(week),
    enabled: wanted,
    refetchInterval: ({ state }) => (state.data?.some(isWaiting) ? POLL_MS : false),
  });
}

const plansQuery = (week: string) =>
  queryOptions({
    queryKey: ['plans', 'week', week],
    queryFn: async ({ signal }) => (await everyRow<Plan>(`/api/capacity/${week}/plans`, {}, MOST_PLANS, signal)).reverse(),
  });

/** What is published of the week, and the number that a publication or its undo has to name. */
export const usePublished = (week: string, wanted: boolean) => useQuery({ ...publishedQuery(week), enabled: wanted });

const publishedQuery = (week: string) =>
  queryOptions({
    queryKey: ['plans', 'published', week],
    queryFn: async () => (await api.GET('/api/capacity/{week}', { params: { path: { week } } })).data as WeekPlan,
  });

/** Asks for what the screen shows of a week, before it is drawn. */
export function askAhead(queries: QueryClient, week: string, asOf: string | undefined): void {
  // The longest answers first.
  void queries.prefetchQuery(allocationsQuery(week, week, asOf));
  void queries.prefetchQuery(membersQuery(asOf));
  void queries.prefetchQuery(projectsQuery(asOf));
  void queries.prefetchQuery(timeOffQuery(week, week, asOf));
  if (asOf) return;
  void queries.prefetchQuery(plansQuery(week));
  void queries.prefetchQuery(publishedQuery(week));
}

/** What a plan says. */
export function useDocument(week: string, plan: string | undefined) {
  return useQuery({
    queryKey: ['plans', 'result', week, plan],
    queryFn: async () =>
      (await api.GET('/api/capacity/{week}/plans/{plan_id}/result', { params: { path: { week, plan_id: plan ?? '' } } })).data,
    enabled: plan !== undefined,
    staleTime: Infinity,
  });
}

export function useShown(week: string, plan: string | undefined, asOf: string | undefined): Shown {
  const members = useMembers(asOf);
  const projects = useProjects(asOf);
  const timeOff = useTimeOff(week, week, asOf);
  const allocations = useAllocations(week, week, asOf);
  const document = useDocument(week, plan);
  const people = useMemo(() => members.data ?? NOTHING, [members.data]);
  const weeks = useMemo(() => [week], [week]);
  const holidays = useHolidays(people, weeks);
  const standing = allocations.data ?? NOTHING;
  const lines = useMemo(() => {
    const off = new Map((timeOff.data ?? []).map((entry) => [`${entry.member_id} ${entry.date}`, entry]));
    const hoursOf = (member: Member) =>
      Object.fromEntries(
        daysOf(week).map((day) => {
          const found = dayOf(member, day, off.get(`${member.member_id} ${day}`), holidays.get(`${member.location} ${day}`));
          return [day, found.contracted - found.off];
        }),
      );
    const pieces = plan ? proposed(document.data, standing) : standing.map(stands);
    return linesOf(people, pieces, hoursOf, plan ? document.data : undefined);
  }, [people, standing, plan, document.data, timeOff.data, holidays, week]);
  const names = useMemo(() => new Map((projects.data ?? []).map(({ project_id, name }) => [project_id, name])), [projects.data]);
  const start = useMemo(
    () => sharedStart(lines.flatMap(({ pieces }) => pieces.map(({ project }) => names.get(project) ?? project))),
    [lines, names],
  );
  const memberNames = useMemo(() => new Map(people.map(({ member_id, name }) => [member_id, name])), [people]);
  return {
    lines,
    standing,
    document: plan ? document.data : undefined,
    nameOf: (id) => names.get(id) ?? id,
    start,
    memberName: (id) => memberNames.get(id) ?? id,
    loading: members.isPending || allocations.isPending || timeOff.isPending || (plan !== undefined && document.isPending),
    error: members.error ?? allocations.error ?? timeOff.error ?? projects.error ?? document.error,
  };
}

/** The whole words that all of several names begin with; nothing where the names fit. What is left tells them apart. */
export function sharedStart(names: readonly string[]): string {
  const [first = '', ...others] = new Set(names);
  if (others.length === 0 || [first, ...others].every(({ length }) => length <= FITTING)) return '';
  let start = first;
  for (const other of others) while (!other.startsWith(start)) start = start.slice(0, -1);
  return start.slice(0, start.lastIndexOf(' ') + 1);
}

export function sumOf(hours: Readonly<Record<string, string | number>> | undefined): number {
  return Object.values(hours ?? {}).reduce<number>((total, one) => total + Number(one), 0);
}

function numbers(hours: Record<string, string> | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(hours ?? {}).map(([day, value]) => [day, Number(value)]));
}

function stands(row: Allocation): Piece {
  const byDay = numbers(row.hours);
  return { member: row.member_id, project: row.project_id, byDay, total: sumOf(byDay), pinned: row.pinned ?? false, row };
}

function proposed(document: Document | undefined, standing: readonly Allocation[]): Piece[] {
  const rows = new Map(standing.map((row) => [`${row.member_id} ${row.project_id}`, row]));
  return (document?.assignments ?? []).map((one) => {
    const row = rows.get(`${one.member_id} ${one.project_id}`);
    // What stands says whether a pin is still there: the plan knows the day on which it was made.
    const pinned = row?.pinned ?? false;
    return { member: one.member_id, project: one.project_id, byDay: numbers(one.by_day), total: Number(one.hours), pinned, row };
  });
}

function linesOf(
  members: readonly Member[],
  pieces: readonly Piece[],
  hoursOf: (member: Member) => Record<string, number>,
  document: Document | undefined,
): Line[] {
  const byMember = new Map<string, Piece[]>();
  for (const piece of pieces) byMember.set(piece.member, [...(byMember.get(piece.member) ?? []), piece]);
  const loads = new Map((document?.members ?? []).map((one) => [one.member_id, one]));
  const known = new Set(members.map(({ member_id }) => member_id));
  const found = members
    .filter(({ status, member_id }) => status !== 'inactive' || byMember.has(member_id))
    .map((member) => {
      const availableBy = hoursOf(member);
      const load = loads.get(member.member_id);
      const available = load ? Number(load.available_hours) : sumOf(availableBy);
      return lineOf(member.member_id, member.name, member.team ?? '', available, availableBy, byMember.get(member.member_id) ?? []);
    });
  // Who is no member any more still has the hours that nobody took away.
  const gone = [...byMember].filter(([id]) => !known.has(id)).map(([id, theirs]) => lineOf(id, id, '', 0, undefined, theirs));
  return [...found, ...gone];
}

function lineOf(
  member: string,
  name: string,
  team: string,
  available: number,
  availableBy: Record<string, number> | undefined,
  pieces: readonly Piece[],
): Line {
  const sorted = [...pieces].sort((one, other) => other.total - one.total || one.project.localeCompare(other.project));
  return { member, name, team, available, availableBy, planned: sorted.reduce((sum, { total }) => sum + total, 0), pieces: sorted };
}

export function hoursText(hours: number): string {
  return String(Math.round(hours * 100) / 100);
}

/**
 * A member's hours on a project by day, with so many more: where the member is free first, then in place of what a plan
 * may move. Pinned hours of other projects stay.
 */
export function withMore(line: Line, project: string | undefined, more: number, days: readonly string[]): Record<string, number> {
  const found = { ...line.pieces.find((piece) => piece.project === project)?.byDay };
  const others = line.pieces.filter((piece) => piece.project !== project);
  let left = more;
  for (const kept of [others, others.filter(({ pinned }) => pinned)]) {
    for (const day of days) {
      const taken = kept.reduce((sum, { byDay }) => sum + (byDay[day] ?? 0), found[day] ?? 0);
      const added = Math.max(0, Math.min(left, (line.availableBy?.[day] ?? 0) - taken));
      if (added > 0) found[day] = (found[day] ?? 0) + added;
      left -= added;
    }
  }
  return found;
}
