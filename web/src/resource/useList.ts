/**
 * The pages of a list, as the server cuts them. A cursor leads from one to the next: page 3 of a link is reached
 * through 1 and 2. Belongs here: asking for pages. Does not belong here: showing them.
 */
import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { send, type Query } from '../api/client';

interface Page<R> {
  items: R[];
  next?: string | null;
}

export interface List<R> {
  rows: R[];
  pages: number;
  /** Whether there are pages behind the last one that is known. */
  more: boolean;
  /** Nothing is there to be shown yet. */
  loading: boolean;
  /** Rows of before are shown while those of now are on their way. */
  stale: boolean;
  error: Error | null;
  again: () => void;
}

export const listQuery = <R>(table: string, path: string, query: Query) =>
  infiniteQueryOptions({
    queryKey: [table, 'list', path, query],
    queryFn: async ({ pageParam, signal }) =>
      (await send<Page<R>>('GET', path, { query: { ...query, cursor: pageParam || undefined }, signal })).data,
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });

export function useList<R>(table: string, path: string, query: Query, page: number): List<R> {
  const found = useInfiniteQuery({ ...listQuery<R>(table, path, query), placeholderData: keepPreviousData });
  const { data, hasNextPage, isFetching, fetchNextPage, isError } = found;
  const pages = data?.pages.length ?? 0;
  const wanted = page > pages && hasNextPage && !isError;
  useEffect(() => {
    if (wanted && !isFetching) void fetchNextPage();
  }, [wanted, isFetching, fetchNextPage]);
  return {
    rows: data?.pages[Math.min(page, pages) - 1]?.items ?? [],
    pages,
    more: hasNextPage,
    loading: found.isPending,
    stale: wanted || (found.isPlaceholderData && isFetching),
    error: found.error,
    again: () => void found.refetch(),
  };
}
