/**
 * A list of computed figures: filters, order and pages in the address, and nothing to edit.
 * Belongs here: rows that have no version and no history. Does not belong here: items (ResourceScreen.tsx).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState, type ReactNode } from 'react';

import type { Query } from '../api/client';
import { wordsOf } from '../api/problem';
import { WeekPicker } from '../time/WeekPicker';
import type { Filter } from './describe';
import { FilterBar } from './FilterBar';
import { Part, StillTable } from './Still';
import { useAddress } from './useAddress';
import { useList } from './useList';

const PAGE = 50;

interface Selection<R> {
  /** How a row is named to who cannot see it. */
  name: (row: R) => string;
  /** Buttons for the rows that are chosen; `keep` says which stay chosen afterwards. */
  actions: (chosen: readonly R[], keep: (keys: readonly string[]) => void) => ReactNode;
}

interface Props<R> {
  title: string;
  about: string;
  nouns: string;
  empty: string;
  /** The table that is read anew when it is written, and the list of the API. */
  table: string;
  path: string;
  query: Query;
  /** The order without one in the address; a list without it has the order that the API gives. */
  sort?: string;
  columns: readonly TableProps.ColumnDefinition<R>[];
  filters: readonly Filter[];
  search?: string;
  /** With it there is a picker of weeks. */
  week?: string;
  keyOf: (row: R) => string;
  actions?: (chosen: readonly R[]) => ReactNode;
  selection?: Selection<R>;
}

export function FiguresTable<R>(props: Props<R>) {
  const { title, nouns, columns, filters, search, week, keyOf, selection } = props;
  const address = useAddress();
  const [selected, setSelected] = useState<readonly string[]>([]);
  const page = Math.max(1, Number(address.one('page') ?? 1) || 1);
  const sort = address.one('sort') ?? props.sort ?? '';
  const list = useList<R>(props.table, props.path, { ...props.query, sort: sort || undefined, limit: PAGE }, page);
  const chosen = list.rows.filter((row) => selected.includes(keyOf(row)));
  const parts = {
    actions: (
      <SpaceBetween direction="horizontal" size="xs">
        {props.actions?.(chosen)}
        {selection?.actions(chosen, setSelected)}
      </SpaceBetween>
    ),
    filter: (
      <SpaceBetween size="xs">
        {week !== undefined && <WeekPicker week={week} onChange={(next) => address.set({ week: next, item: undefined })} />}
        <FilterBar filters={filters} search={search} address={address} nouns={nouns} />
      </SpaceBetween>
    ),
    pages: (
      <Pagination
        currentPageIndex={Math.min(page, Math.max(list.pages, 1))}
        pagesCount={Math.max(list.pages, 1)}
        openEnd={list.more}
        ariaLabels={{ nextPageLabel: 'Next page', previousPageLabel: 'Page before', pageLabel: (number) => `Page ${number}` }}
        onChange={({ detail }) => address.set({ page: String(detail.currentPageIndex) })}
      />
    ),
  };
  return (
    <SpaceBetween size="s">
      {list.error && (
        <Alert type="error" header={`The ${nouns} could not be read`} action={<Button onClick={list.again}>Try again</Button>}>
          {wordsOf(list.error)}
        </Alert>
      )}
      <StillTable still={list.stale} parts={parts}>
        <Table
          variant="full-page"
          stickyHeader
          resizableColumns
          enableKeyboardNavigation
          contentDensity="compact"
          items={list.rows}
          trackBy={keyOf}
          columnDefinitions={columns}
          loading={list.loading && !list.error}
          loadingText={`Loading ${nouns}`}
          selectionType={selection && 'multi'}
          selectedItems={chosen}
          onSelectionChange={({ detail }) => setSelected(detail.selectedItems.map(keyOf))}
          sortingColumn={columns.find(({ sortingField }) => sortingField === sort.replace('-', ''))}
          sortingDescending={sort.startsWith('-')}
          onSortingChange={({ detail }) => address.set({ sort: `${detail.isDescending ? '-' : ''}${detail.sortingColumn.sortingField ?? ''}` })}
          ariaLabels={{
            tableLabel: title,
            selectionGroupLabel: `Select ${nouns}`,
            allItemsSelectionLabel: () => 'Select all rows of this page',
            itemSelectionLabel: (_, row) => `Select ${selection?.name(row) ?? keyOf(row)}`,
          }}
          empty={<Box textAlign="center" padding="l">{props.empty}</Box>}
          header={
            <Header
              variant="awsui-h1-sticky"
              counter={chosen.length > 0 ? `(${chosen.length} selected)` : undefined}
              description={props.about}
              actions={<Part name="actions" />}
            >
              {title}
            </Header>
          }
          filter={<Part name="filter" />}
          pagination={<Part name="pages" />}
        />
      </StillTable>
    </SpaceBetween>
  );
}
