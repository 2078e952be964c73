/** The sheet itself: a table of plain inputs. Enter and the arrows move, Tab goes on, a pasted range spreads. */
import { memo, useCallback, useRef, type ClipboardEvent, type KeyboardEvent } from 'react';

import { TodaysCategory } from './reviews';
import { COLUMNS, isEmpty, judged, type ColumnName, type Known, type SheetRow } from './sheet';

const HEADERS: Record<ColumnName, string> = {
  member: 'Member', project: 'Project', category: 'Raw category', reviewed: 'Reviewed', correct: 'Correct', severity: 'Worst error', notes: 'Notes',
};
const LISTS: Partial<Record<ColumnName, string>> = { member: 'sheet-members', project: 'sheet-projects', severity: 'sheet-severities' };

const UNANSWERED = 'sent, and no answer yet: write again, and it is written once';

interface Props {
  rows: readonly SheetRow[];
  known: Known | undefined;
  /** Today's name of a raw category; undefined while it is not known. */
  today: ReadonlyMap<string, string>;
  /** Rows that are being written: they can be read, and not changed. */
  writing: ReadonlySet<number>;
  /** Both stay the same functions from one stroke to the next, or every line is drawn at each. */
  onChange: (row: number, column: ColumnName, text: string) => void;
  onPaste: (row: number, column: ColumnName, text: string) => void;
}

export function EntryGrid({ rows, known, today, writing, onChange, onPaste }: Props) {
  const table = useRef<HTMLTableElement>(null);
  const keys = useCallback((event: KeyboardEvent, row: number, column: ColumnName) => {
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'Enter' || event.key === 'ArrowDown' ? 1 : 0;
    // A list of suggestions has the arrows for itself.
    if (step === 0 || (event.key !== 'Enter' && LISTS[column])) return;
    event.preventDefault();
    table.current?.querySelector<HTMLInputElement>(`[data-cell="${row + step} ${column}"]`)?.focus();
  }, []);
  return (
    <div className="sheet">
      <table ref={table} aria-label="Reviews to enter">
        <thead>
          <tr>
            <th scope="col">#</th>
            {COLUMNS.map((name) => (
              <th key={name} scope="col">
                {HEADERS[name]}
              </th>
            ))}
            <th scope="col">Category today</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <Line
              key={row.id}
              row={row}
              index={index}
              known={known}
              today={today.get(row.cells.category.trim())}
              written={writing.has(row.id)}
              onChange={onChange}
              onPaste={onPaste}
              onKeys={keys}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps extends Pick<Props, 'known' | 'onChange' | 'onPaste'> {
  row: SheetRow;
  index: number;
  today: string | undefined;
  written: boolean;
  onKeys: (event: KeyboardEvent, row: number, column: ColumnName) => void;
}

const Line = memo(function Line({ row, index, known, today, written, onChange, onPaste, onKeys }: LineProps) {
  const empty = isEmpty(row);
  const verdict = empty ? {} : judged(row, known);
  const words = row.refused ?? (row.sent && !written ? UNANSWERED : Object.values(verdict).join('; '));
  const paste = (event: ClipboardEvent, column: ColumnName) => {
    const text = event.clipboardData.getData('text/plain');
    // One cell goes where the cursor is, as everywhere; a long one is judged like a range.
    if (!/[\t\n]/.test(text.trimEnd()) && text.length < 10_000) return;
    event.preventDefault();
    onPaste(index, column, text);
  };
  return (
    <tr>
      <th scope="row">{index + 1}</th>
      {COLUMNS.map((name) => (
        <td key={name}>
          <input
            data-cell={`${index} ${name}`}
            aria-label={`${HEADERS[name]} of row ${index + 1}`}
            aria-invalid={verdict[name] !== undefined}
            className={`sheet-${name}`}
            inputMode={name === 'reviewed' || name === 'correct' ? 'numeric' : undefined}
            list={LISTS[name]}
            dir="auto"
            readOnly={written || row.sent !== undefined}
            value={row.cells[name]}
            onChange={(event) => onChange(index, name, event.target.value)}
            onPaste={(event) => paste(event, name)}
            onKeyDown={(event) => onKeys(event, index, name)}
          />
        </td>
      ))}
      <td>{row.cells.category.trim() ? <TodaysCategory label={today} /> : null}</td>
      <td className={words ? 'sheet-bad' : undefined}>{empty ? '' : words ? `✗ ${words}` : '✓ fits'}</td>
    </tr>
  );
});
