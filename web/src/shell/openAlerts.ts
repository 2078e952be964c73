/** The open alerts, for the mark at the edge of every screen and the drawer behind it. */
import { useQuery } from '@tanstack/react-query';

import { api } from '../api/client';

export const MOST_OPEN = 50;
const EVERY_MS = 300_000;

export function useOpenAlerts(enabled: boolean) {
  return useQuery({
    queryKey: ['alerts', 'open'],
    queryFn: async ({ signal }) => {
      const { data } = await api.GET('/api/alerts', { params: { query: { status: ['open'], limit: MOST_OPEN, sort: '-last_seen' } }, signal });
      if (!data) throw new Error('no answer');
      return data;
    },
    enabled,
    staleTime: EVERY_MS,
    refetchInterval: EVERY_MS,
  });
}
