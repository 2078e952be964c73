/** Restatements of throughput as this screen reads them: of whom, of which day, and which figure. */
import { queryOptions, useQuery } from '@tanstack/react-query';

import { everyRow, type Schemas } from '../../api/client';

export type Restatement = Schemas['RestatementAnswer'];
const WHOLE_WEEK = '*';
/** Of a week; beyond, the list of the restatements has them. */
const MOST = 1_000;

/** The last key of a figure is its day; the total of a week has none. */
export function dayOf({ subject }: Restatement): string | undefined {
  return subject === WHOLE_WEEK ? undefined : subject.split(' | ').at(-1);
}

export function figureName({ measure }: Restatement): string {
  return measure.replaceAll('_', ' ');
}

export const restatedQuery = (week: string) =>
  queryOptions({
    queryKey: ['restatements', 'of the week', week],
    queryFn: ({ signal }) => everyRow<Restatement>('/api/restatements', { table: 'throughput', week, sort: '-restated_at' }, MOST, signal),
  });

export const useRestated = (week: string) => useQuery(restatedQuery(week));
