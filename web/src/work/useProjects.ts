/**
 * All projects by id: for names in lists, charts and choices. Read once, kept for a minute.
 * Belongs in work/: what several screens need of projects. Does not: what one screen shows of them.
 */
import { queryOptions, useQuery } from '@tanstack/react-query';

import { everyRow, type Schemas } from '../api/client';
import { onceOf } from '../api/onceOf';

export type Project = Schemas['ProjectAnswer'] & { version: number };

const FRESH_MS = 60_000;
const MOST = 5_000;

export const projectsQuery = (asOf?: string) =>
  queryOptions({
    queryKey: ['projects', 'all', asOf],
    queryFn: ({ signal }) => everyRow<Project>('/api/projects', { sort: 'name', as_of: asOf }, MOST, signal),
    staleTime: FRESH_MS,
  });

export const useProjects = (asOf?: string) => useQuery(projectsQuery(asOf));

const namesOf = onceOf((projects: readonly Project[]) => new Map(projects.map(({ project_id, name }) => [project_id, name])));
const NOTHING: readonly Project[] = [];

/** Names by id. */
export const useProjectNames = (): ReadonlyMap<string, string> => namesOf(useProjects().data ?? NOTHING);
