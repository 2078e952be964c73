/**
 * A list of computed figures: filters, order and pages in the address, and nothing to edit.
 * Belongs here: rows that have no version and no history. Does not belong here: items (ResourceScreen.tsx).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState, type ReactNode } from 'react';

import type { Query } from '../api/client';
import { wordsOf } from '../api/problem';
import { WeekPicker } from '../time/WeekPicker';
import type { Filter } from './describe';
import { ExportMenu } from './ExportMenu';
import { FilterBar } from './FilterBar';
import { pageIn, Pages } from './Pages';
import { Part, StillTable } from './Still';
import { useAddress, type State } from './useAddress';
import { listQuery, useList } from './useList';
import { useSortAhead } from './useSortAhead';
import { tablePreferences, useTablePreferences } from './useTablePreferences';

interface Listed {
  /** The table that is read anew when it is written, and the list of the API. */
  table: string;
  path: string;
  query: Query;
  /** The order without one in the address; a list without it has the order that the API gives. */
  sort?: string;
}

interface Props<R> extends Listed {
  title: string;
  about: string;
  nouns: string;
  empty: string;
  columns: readonly TableProps.ColumnDefinition<R>[];
  filters: readonly Filter[];
  search?: string;
  /** With it there is a picker of weeks. */
  week?: string;
  keyOf: (row: R) => string;
  /** How a row is named to who cannot see it, where rows can be chosen. */
  nameOf?: (row: R) => string;
  /** The list as exports call it, and what all of its rows are asked with. */
  exported?: { list: string; all: Query };
  actions?: ReactNode;
  /** Buttons for the rows that are chosen; `keep` says which stay chosen afterwards. */
  ofChosen?: (chosen: readonly R[], keep: (keys: readonly string[]) => void) => ReactNode;
}

const sortIn = (state: State, { sort }: Listed) => state.sort?.[0] ?? sort;
const pageQuery = (listed: Listed, state: State, limit: number): Query => ({ ...listed.query, sort: sortIn(state, listed), limit });

/** The list as it is asked at an address, for who asks before it is drawn. */
export function figuresQuery<R>(listed: Listed, state: State) {
  const { pageSize } = tablePreferences(nameOfTable(listed), NO_COLUMNS);
  return listQuery<R>(listed.table, listed.path, pageQuery(listed, state, pageSize));
}

const NO_COLUMNS: readonly never[] = [];
const nameOfTable = ({ path }: Listed) => `figures.${path.replace('/api/', '')}`;

export function FiguresTable<R>(props: Props<R>) {
  const { title, nouns, columns, filters, search, week, keyOf, nameOf, exported } = props;
  const address = useAddress();
  const [selected, setSelected] = useState<readonly string[]>([]);
  const shown = columns.map(({ id = '', header, isRowHeader }) => ({ id, header: String(header), main: isRowHeader }));
  const [preferences, preferencesButton] = useTablePreferences(nameOfTable(props), shown);
  const sort = sortIn(address.state, props) ?? '';
  const query = pageQuery(props, address.state, preferences.pageSize);
  const list = useList<R>(props.table, props.path, query, pageIn(address.state));
  const listen = useSortAhead({ columns, display: preferences.contentDisplay, boxes: nameOf !== undefined, sort }, (wanted) =>
    list.askFor({ ...query, sort: wanted }),
  );
  const chosen = list.rows.filter((row) => selected.includes(keyOf(row)));
  const parts = {
    actions: (
      <SpaceBetween direction="horizontal" size="xs">
        {props.actions}
        {exported && (
          <ExportMenu
            table={exported.list}
            selected={chosen.map(keyOf)}
            filtered={{ ...props.query, sort: sort || undefined }}
            all={exported.all}
            allText={week && `All rows of ${week}`}
          />
        )}
        {props.ofChosen?.(chosen, setSelected)}
      </SpaceBetween>
    ),
    filter: (
      <SpaceBetween size="xs">
        {week !== undefined && <WeekPicker week={week} onChange={(next) => address.set({ week: next, item: undefined })} />}
        <FilterBar filters={filters} search={search} address={address} nouns={nouns} />
      </SpaceBetween>
    ),
    pages: <Pages address={address} list={list} />,
  };
  return (
    <SpaceBetween size="s">
      {list.error && (
        <Alert type="error" header={`The ${nouns} could not be read`} action={<Button onClick={list.again}>Try again</Button>}>
          {wordsOf(list.error)}
        </Alert>
      )}
      <StillTable still={list.stale} parts={parts} listen={listen}>
        <Table
          variant="full-page"
          stickyHeader
          resizableColumns
          enableKeyboardNavigation
          columnDisplay={preferences.contentDisplay}
          wrapLines={preferences.wrapLines}
          stripedRows={preferences.stripedRows}
          contentDensity={preferences.contentDensity}
          items={list.rows} // without `trackBy`, as in ResourceScreen.tsx
          columnDefinitions={columns}
          loading={list.loading && !list.error}
          loadingText={`Loading ${nouns}`}
          selectionType={nameOf && 'multi'}
          selectedItems={chosen}
          onSelectionChange={({ detail }) => setSelected(detail.selectedItems.map(keyOf))}
          sortingColumn={columns.find(({ sortingField }) => sortingField === sort.replace('-', ''))}
          sortingDescending={sort.startsWith('-')}
          onSortingChange={({ detail }) => {
            const wanted = `${detail.isDescending ? '-' : ''}${detail.sortingColumn.sortingField ?? ''}`;
            list.askFor({ ...query, sort: wanted });
            address.set({ sort: wanted });
          }}
          ariaLabels={{
            tableLabel: title,
            selectionGroupLabel: `Select ${nouns}`,
            allItemsSelectionLabel: () => 'Select all rows of this page',
            itemSelectionLabel: (_, row) => `Select ${nameOf?.(row) ?? keyOf(row)}`,
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
          preferences={preferencesButton}
        />
      </StillTable>
    </SpaceBetween>
  );
}
