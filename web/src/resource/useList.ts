/**
 * The pages of a list, as the server cuts them. A cursor leads from one to the next: page 3 of a link is reached
 * through 1 and 2. Belongs here: asking for pages, also before they are shown. Does not belong here: showing them.
 */
import { hashKey, infiniteQueryOptions, keepPreviousData, queryOptions, useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { send, type Query } from '../api/client';
import { queries } from '../api/queries';

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
  /** The list is about to be wanted otherwise. What is fresh is not asked for again, nor what is shown. */
  askFor: (query: Query) => void;
  /** The page behind those that are known is about to be wanted: its answer is kept until then. */
  askNext: () => void;
  /** It is wanted. */
  takeNext: () => void;
}

const pageOf = async <R>(path: string, query: Query, cursor: string, signal: AbortSignal) =>
  (await send<Page<R>>('GET', path, { query: { ...query, cursor: cursor || undefined }, signal })).data;

/** A page behind the first, apart from its list: one that was asked ahead is no page of the list until it is shown. */
const nextQuery = <R>(table: string, path: string, query: Query, cursor: string) =>
  queryOptions({
    queryKey: [table, 'next', path, query, cursor],
    queryFn: ({ signal }) => pageOf<R>(path, query, cursor, signal),
    retry: false, // the list tries again
  });

export const listQuery = <R>(table: string, path: string, query: Query) =>
  infiniteQueryOptions({
    queryKey: [table, 'list', path, query],
    queryFn: ({ pageParam, signal }) =>
      pageParam ? queries.fetchQuery(nextQuery<R>(table, path, query, pageParam)) : pageOf<R>(path, query, '', signal),
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
  const cursor = found.isPlaceholderData ? undefined : data?.pages.at(-1)?.next;
  return {
    rows: data?.pages[Math.min(page, pages) - 1]?.items ?? [],
    pages,
    more: hasNextPage,
    loading: found.isPending,
    stale: wanted || (found.isPlaceholderData && isFetching),
    error: found.error,
    again: () => void found.refetch(),
    askFor: (other) => {
      if (hashKey([other]) !== hashKey([query])) void queries.prefetchInfiniteQuery(listQuery(table, path, other));
    },
    askNext: () => {
      if (cursor) void queries.prefetchQuery(nextQuery<R>(table, path, query, cursor));
    },
    takeNext: () => {
      // A list that is being read anew goes on with that: its pages are wanted again once it is there.
      if (cursor) void fetchNextPage({ cancelRefetch: false });
    },
  };
}
