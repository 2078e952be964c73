/** The list as a file: the selected rows, what the filters leave, or what it holds without them; as CSV or as a workbook. */
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import { useState } from 'react';

import { api, type Query } from '../api/client';
import { useFlash } from '../shell/Flash';

type Format = 'csv' | 'xlsx';
const FORMATS: readonly Format[] = ['csv', 'xlsx'];
const NAMES: Record<Format, string> = { csv: 'CSV', xlsx: 'Excel workbook' };

interface Props {
  table: string;
  /** The filters of now, and those that the screen always has; undefined where they leave nothing. */
  filtered: Query | undefined;
  all: Query;
  selected: readonly string[];
  /** What the two are, where rows of filters and all rows would say something else than is written. */
  filteredText?: string;
  allText?: string;
}

function texts(query: Query): Record<string, string | string[]> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(given.map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]));
}

/** Fetched by the browser itself: the link is signed, and names the file. */
export function download(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.rel = 'noopener';
  document.body.append(link);
  link.click();
  link.remove();
}

export function ExportMenu({ table, filtered, all, selected, filteredText = 'Rows of the filters', allText = 'All rows' }: Props) {
  const [busy, setBusy] = useState(false);
  const { tell, fail } = useFlash();
  const run = async (id: string) => {
    const [which, format] = id.split(' ') as [string, Format];
    setBusy(true);
    try {
      const query = texts(which === 'all' ? all : (filtered ?? all));
      const keys = which === 'selected' ? [...selected] : undefined;
      const { data } = await api.POST('/api/exports', { body: { list: table, format, query, keys } });
      if (!data) return;
      download(data.url, data.file_name);
      tell({ type: 'success', content: `${data.file_name}: ${data.rows} rows.` });
    } catch (error) {
      fail(error, 'Not exported');
    } finally {
      setBusy(false);
    }
  };
  const group = (id: string, text: string, disabled = false) => ({
    id,
    text,
    items: FORMATS.map((format) => ({ id: `${id} ${format}`, text: `${text} as ${NAMES[format]}`, disabled })),
  });
  return (
    <ButtonDropdown
      loading={busy}
      items={[
        group('selected', `Selected rows (${selected.length})`, selected.length === 0),
        group('filtered', filteredText, !filtered),
        group('all', allText),
      ]}
      onItemClick={({ detail }) => void run(detail.id)}
    >
      Export
    </ButtonDropdown>
  );
}
