/**
 * A whole screen from the description of a kind of item: filters, views, as-of, pages, bulk, edit, history, export.
 * Belongs here: putting the parts together. Does not belong here: anything that only one kind of item has.
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useMemo, useState, type ReactNode } from 'react';

import type { Query, Schemas } from '../api/client';
import { wordsOf } from '../api/problem';
import { PLANNERS } from '../auth/roles';
import { useMay } from '../shell/session';
import { AsOfBar, AsOfPicker } from '../time/AsOf';
import { useWeek, weekIn } from '../time/useWeek';
import { WeekPicker } from '../time/WeekPicker';
import { BulkBar } from './BulkBar';
import type { Column, Description, Row } from './describe';
import { ExportMenu } from './ExportMenu';
import { FilterBar } from './FilterBar';
import { HereLink } from './HereLink';
import { EditDialog, ItemPanel } from './opened';
import { pageIn, Pages } from './Pages';
import { SavedViews } from './SavedViews';
import { Part, StillTable } from './Still';
import { OWN_NAMES, useAddress, useComing, type State } from './useAddress';
import { useList } from './useList';
import { useSortAhead } from './useSortAhead';
import { useTablePreferences } from './useTablePreferences';

interface Props<R extends Row> {
  resource: Description<R>;
  /** The screen that saved views belong to. */
  screen: Schemas['Screen'];
  title: string;
  /** Words under the title: what the list is, in a sentence. */
  about?: ReactNode;
  /** Further buttons beside the title. */
  actions?: ReactNode;
}

export function ResourceScreen<R extends Row>({ resource, screen, title, about, actions }: Props<R>) {
  const address = useAddress();
  const may = useMay(resource.writers ?? PLANNERS);
  const mayCreate = useMay(resource.creators ?? resource.writers ?? PLANNERS);
  const [preferences, preferencesButton] = useTablePreferences(`${screen}.${resource.table}`, resource.columns);
  const [selected, setSelected] = useState<readonly string[]>([]);
  const [adding, setAdding] = useState(false);
  const asOf = address.one('as_of');
  const mayWrite = may && !asOf;
  const week = useWeek(address, 0, !resource.weekly);
  const page = pageIn(address.state);

  const fixedAt = (state: State): Query => ({ ...resource.fixed, ...(resource.weekly ? { week: weekIn(state) ?? week } : {}) });
  const filteredAt = (state: State): Query => ({ ...pick(state, resource), ...fixedAt(state), as_of: state.as_of?.[0] });
  const queryAt = (state: State): Query => ({ ...filteredAt(state), sort: state.sort?.[0] ?? resource.sort, limit: preferences.pageSize });
  const query = queryAt(address.state);
  const order = String(query.sort ?? '');
  const list = useList<R>(resource.table, resource.path, query, page);
  useComing((state) => {
    // Another tab of the screen shows another list.
    if (state.tab?.[0] === address.one('tab')) list.askFor(queryAt(state));
  });
  const rows = list.rows;
  const chosen = rows.filter(({ key }) => selected.includes(key));
  const opened = address.one('item');

  const columns = useTableColumns(resource);
  const sorted = columns.find(({ sortingField }) => sortingField === order.replace(/^-/, ''));
  const boxes = Boolean(resource.bulk || resource.verbs || resource.remove);
  const { nouns } = resource;
  const listen = useSortAhead({ columns, display: preferences.contentDisplay, boxes, sort: order }, (sort) => list.askFor({ ...query, sort }));

  const parts = {
    actions: (
      <SpaceBetween direction="horizontal" size="xs">
        {actions}
        <SavedViews screen={screen} address={address} />
        {resource.past !== false && <AsOfPicker asOf={asOf} onChange={(instant) => address.set({ as_of: instant, item: undefined })} />}
        <ExportMenu
          table={resource.table}
          selected={chosen.map(({ key }) => key)}
          filtered={{ ...filteredAt(address.state), sort: query.sort }}
          all={{ ...fixedAt(address.state), as_of: asOf }}
          allText={resource.weekly ? `All rows of ${week}` : resource.span && `All rows ${resource.span}`}
        />
        {mayWrite && (
          <BulkBar resource={resource} rows={chosen} onDone={(failed) => setSelected(failed)} />
        )}
        {mayCreate && !asOf && resource.create && (
          <Button variant="primary" onClick={() => setAdding(true)}>
            Add {resource.noun}
          </Button>
        )}
      </SpaceBetween>
    ),
    filter: (
      <SpaceBetween size="xs">
        {resource.weekly && <WeekPicker week={week} onChange={(next) => address.set({ week: next })} />}
        <FilterBar filters={resource.filters} search={resource.search} address={address} nouns={nouns} />
      </SpaceBetween>
    ),
    pages: <Pages address={address} list={list} />,
  };

  return (
    <SpaceBetween size="s">
      {asOf && <AsOfBar asOf={asOf} onBack={() => address.set({ as_of: undefined })} />}
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
          items={rows} // without `trackBy` a row is its place: others are written into the cells that are there
          loading={list.loading && !list.error}
          loadingText={`Loading ${nouns}`}
          columnDefinitions={columns}
          columnDisplay={preferences.contentDisplay}
          wrapLines={preferences.wrapLines}
          stripedRows={preferences.stripedRows}
          contentDensity={preferences.contentDensity}
          sortingColumn={sorted}
          sortingDescending={order.startsWith('-')}
          onSortingChange={({ detail }) =>
            address.set({ sort: `${detail.isDescending ? '-' : ''}${detail.sortingColumn.sortingField ?? ''}` })
          }
          selectionType={boxes ? 'multi' : undefined}
          selectedItems={chosen}
          onSelectionChange={({ detail }) => setSelected(detail.selectedItems.map(({ key }) => key))}
          ariaLabels={{
            tableLabel: title,
            selectionGroupLabel: `Select ${nouns}`,
            allItemsSelectionLabel: () => `Select all ${nouns} of this page`,
            itemSelectionLabel: (_, row) => `Select ${resource.name(row)}`,
          }}
          empty={
            <Box textAlign="center" color="inherit" padding="l">
              <b>{resource.empty ?? `No ${nouns}`}</b>
              <Box variant="p" color="inherit">
                {Object.keys(pick(address.state, resource)).length > 0 ? 'Nothing matches the filters.' : 'There is nothing here yet.'}
              </Box>
            </Box>
          }
          header={
            <Header
              variant="awsui-h1-sticky"
              counter={counterOf(list.pages > 0 ? rows.length : 0, chosen.length, page, list.more)}
              description={about}
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
      {adding && <EditDialog resource={resource} onClose={() => setAdding(false)} />}
      {opened && (
        <ItemPanel
          key={opened}
          resource={resource}
          itemKey={opened}
          listed={rows.find(({ key }) => key === opened)}
          asOf={asOf}
          mayWrite={mayWrite}
          onClose={() => address.set({ item: undefined })}
        />
      )}
    </SpaceBetween>
  );
}

function pick<R extends Row>(state: Record<string, string[]>, resource: Description<R>): Query {
  const names = new Set([...resource.filters.map(({ name }) => name), ...(resource.search ? ['q'] : [])]);
  return Object.fromEntries(Object.entries(state).filter(([name]) => names.has(name) && !OWN_NAMES.includes(name)));
}

function counterOf(rows: number, chosen: number, page: number, more: boolean): string {
  if (chosen > 0) return `(${chosen} selected)`;
  return page === 1 && !more ? `(${rows})` : `(${rows} on this page)`;
}

function useTableColumns<R extends Row>(resource: Description<R>): TableProps.ColumnDefinition<R>[] {
  return useMemo(
    () =>
      resource.columns.map((column: Column<R>) => ({
        id: column.id,
        header: column.header,
        width: column.width,
        minWidth: 80,
        isRowHeader: column.main,
        sortingField: column.sort,
        cell: (row: R) =>
          column.main ? (
            <HereLink to={{ item: row.key }}>{column.cell(row)}</HereLink>
          ) : (
            column.cell(row)
          ),
      })),
    [resource],
  );
}
