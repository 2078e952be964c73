/** Which columns a person sees, in which order, how many rows and how dense; kept in this browser by table. */
import CollectionPreferences, { type CollectionPreferencesProps } from '@cloudscape-design/components/collection-preferences';
import { useMemo, type ReactNode } from 'react';

import { usePreference } from '../shell/preferences';
import type { Column } from './describe';

export type TablePreferences = CollectionPreferencesProps.Preferences & {
  pageSize: number;
  contentDisplay: readonly CollectionPreferencesProps.ContentDisplayColumn[];
};

export function useTablePreferences<R>(table: string, columns: readonly Column<R>[]): [TablePreferences, ReactNode] {
  const [kept, setKept] = usePreference(`table.${table}`, '{}');
  const preferences = useMemo<TablePreferences>(() => {
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
  }, [kept, columns]);
  const button = (
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
  );
  return [preferences, button];
}
