/** The pages of a list, as far as they are known; which one is shown is `page` in the address. */
import Pagination from '@cloudscape-design/components/pagination';

import type { Address, State } from './useAddress';
import type { List } from './useList';

export function pageIn(state: State): number {
  return Math.max(1, Number(state.page?.[0] ?? 1) || 1);
}

export function Pages<R>({ address, list }: { address: Address; list: List<R> }) {
  const known = Math.max(list.pages, 1);
  const page = Math.min(pageIn(address.state), known);
  // Who comes near from the last known page is about to turn it.
  const near = page === known ? list.askNext : undefined;
  return (
    <div onPointerEnter={near} onFocus={near}>
      <Pagination
        currentPageIndex={page}
        pagesCount={known}
        openEnd={list.more}
        disabled={list.loading}
        ariaLabels={{ nextPageLabel: 'Next page', previousPageLabel: 'Page before', pageLabel: (number) => `Page ${number}` }}
        onChange={({ detail: { currentPageIndex: next } }) => {
          if (next > known) list.takeNext();
          address.set({ page: next > 1 ? String(next) : undefined });
        }}
      />
    </div>
  );
}
