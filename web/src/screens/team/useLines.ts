/**
 * Lines of members that are all here, filtered, ordered and cut into pages by the address, also where that changes by
 * itself, as a step back does, or a saved view.
 * Belongs here: calendars and sums of members. Does not belong here: lists that the API filters (resource/useList.ts).
 */
import { useCollection } from '@cloudscape-design/collection-hooks';
import type { TableProps } from '@cloudscape-design/components/table';
import { useEffect, useMemo } from 'react';

import type { Member } from '../../people/useMembers';
import { pageIn } from '../../resource/Pages';
import type { Address } from '../../resource/useAddress';

const PAGE = 40;

interface Line {
  member: Member;
}

const fits = ({ member }: Line, text: string) => `${member.name} ${member.member_id} ${member.team ?? ''}`.toLowerCase().includes(text.toLowerCase());

/** What the table, its filter and its pages are drawn with. `columns` stay the same while they say the same. */
export function useLines<L extends Line>(lines: readonly L[], columns: readonly TableProps.ColumnDefinition<L>[], address: Address) {
  const text = address.one('q') ?? '';
  const sort = address.one('sort') ?? '';
  const page = pageIn(address.state);
  const sorting = useMemo(() => {
    const sortingColumn = columns.find(({ id, sortingComparator }) => sortingComparator && id === sort.replace(/^-/, ''));
    return sortingColumn && { sortingColumn, isDescending: sort.startsWith('-') };
  }, [columns, sort]);
  const { items, actions, filteredItemsCount, collectionProps, paginationProps } = useCollection(lines, {
    filtering: { defaultFilteringText: text, filteringFunction: fits },
    pagination: { pageSize: PAGE, defaultPage: page },
    sorting: sorting ? { defaultState: sorting } : {},
  });
  useEffect(() => {
    actions.setFiltering(text);
    actions.setMultiSorting(sorting ? [sorting] : []);
    actions.setCurrentPage(page); // last: the others begin with the first one
  }, [actions, text, sorting, page]);
  return {
    count: filteredItemsCount ?? lines.length,
    table: {
      ...collectionProps,
      items,
      sortingColumn: sorting?.sortingColumn,
      sortingDescending: sorting?.isDescending,
      onSortingChange: ({ detail }: { detail: TableProps.SortingState<L> }) => {
        // The columns of these tables have an id each, which the type of a sorting column leaves out.
        const { id = '' } = detail.sortingColumn as TableProps.ColumnDefinition<L>;
        address.set({ sort: `${detail.isDescending ? '-' : ''}${id}` });
      },
    },
    filter: {
      filteringText: text,
      onChange: ({ detail }: { detail: { filteringText: string } }) => address.set({ q: detail.filteringText || undefined }, 'typed'),
    },
    pages: {
      ...paginationProps,
      onChange: ({ detail: { currentPageIndex: next } }: { detail: { currentPageIndex: number } }) => address.set({ page: next > 1 ? String(next) : undefined }),
    },
  };
}
