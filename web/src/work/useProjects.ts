/**
 * All projects by id: for names in lists, charts and choices. Read once, kept for a minute.
 * Belongs in work/: what several screens need of projects. Does not: what one screen shows of them.
 */
import { useQuery } from '@tanstack/react-query';

import { everyRow, type Schemas } from '../api/client';

export type Project = Schemas['ProjectAnswer'] & { version: number };

const FRESH_MS = 60_000;
const MOST = 2_000;

export function useProjects(asOf?: string) {
  return useQuery({
    queryKey: ['projects', 'all', asOf],
    queryFn: ({ signal }) => everyRow<Project>('/api/projects', { sort: 'name', as_of: asOf }, MOST, signal),
    staleTime: FRESH_MS,
  });
}
