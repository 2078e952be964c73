/** Which columns a person sees, in which order, how many rows and how dense; kept in this browser by table. */
import CollectionPreferences, { type CollectionPreferencesProps } from '@cloudscape-design/components/collection-preferences';
import { useMemo, type ReactNode } from 'react';

import { preference, usePreference } from '../shell/preferences';
import type { Column } from './describe';

export type TablePreferences = CollectionPreferencesProps.Preferences & {
  pageSize: number;
  contentDisplay: readonly CollectionPreferencesProps.ContentDisplayColumn[];
};

type Named = Pick<Column<unknown>, 'id' | 'header' | 'main' | 'optional'>;
const keyOf = (table: string) => `table.${table}`;
const NOTHING_KEPT = '{}';

/** What a person prefers of a table, as it was kept. */
export function tablePreferences(table: string, columns: readonly Named[]): TablePreferences {
  return preferencesIn(preference(keyOf(table)) ?? NOTHING_KEPT, columns);
}

function preferencesIn(kept: string, columns: readonly Named[]): TablePreferences {
  const read = JSON.parse(kept) as Partial<TablePreferences>;
  const known = new Set(columns.map(({ id }) => id));
  const old = (read.contentDisplay ?? []).filter(({ id }) => known.has(id));
  const fresh = columns.filter(({ id }) => !old.some((one) => one.id === id));
  return {
    wrapLines: false,
    stripedRows: false,
    contentDensity: 'compact',
    ...read,
    pageSize: read.pageSize ?? 50,
    // A column that came with an upgrade is shown as its description says.
    contentDisplay: [...old, ...fresh.map(({ id, optional }) => ({ id, visible: !optional }))],
  };
}

export function useTablePreferences(table: string, columns: readonly Named[]): [TablePreferences, ReactNode] {
  const [kept, setKept] = usePreference(keyOf(table), NOTHING_KEPT);
  const preferences = useMemo(() => preferencesIn(kept, columns), [kept, columns]);
  const button = useMemo(() => (
    <CollectionPreferences
      title="Preferences"
      confirmLabel="Use"
      cancelLabel="Cancel"
      preferences={preferences}
      onConfirm={({ detail }) => setKept(JSON.stringify(detail))}
      pageSizePreference={{ title: 'Rows of a page', options: [20, 50, 100].map((value) => ({ value, label: `${value} rows` })) }}
      wrapLinesPreference={{ label: 'Wrap lines', description: 'Show all of a text' }}
      stripedRowsPreference={{ label: 'Striped rows', description: 'Every other row on grey' }}
      contentDensityPreference={{ label: 'Compact', description: 'More rows on the screen' }}
      contentDisplayPreference={{
        title: 'Columns',
        options: columns.map(({ id, header, main }) => ({ id, label: header, alwaysVisible: main })),
      }}
    />
  ), [preferences, columns, setKept]);
  return [preferences, button];
}
