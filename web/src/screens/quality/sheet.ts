/**
 * Rows of a sheet of reviews: read from pasted text, judged as far as a browser can, and as the API takes them.
 * Belongs here: pure functions. Does not belong here: showing the sheet (EntryGrid.tsx) and sending it (Entry.tsx).
 */
import { SEVERITIES } from './reviews';

export const COLUMNS = ['member', 'project', 'category', 'reviewed', 'correct', 'severity', 'notes'] as const;
export type ColumnName = (typeof COLUMNS)[number];
export type Cells = Record<ColumnName, string>;

/** With which call a row went out, and as what: the call is repeated with the same words until it is answered. */
export interface Sent {
  key: string;
  /** Milliseconds of the epoch. */
  at: number;
  week: string;
  member: string;
  project: string;
}

export interface SheetRow {
  id: number;
  cells: Cells;
  /** Nobody knows yet whether it was written; it stays as it is until that is known. */
  sent?: Sent;
  /** What the API said about it when it was last asked; gone when the row is edited. */
  refused?: string;
}

/** Of one paste. More than that is a workbook, which is imported whole. */
export const MOST_CHARACTERS = 500_000;
export const MOST_ROWS = 500;
const MOST_NOTES = 10_000;
const MOST_CATEGORY = 128;
const HEADINGS: Record<string, ColumnName> = {
  member: 'member', member_id: 'member', project: 'project', project_id: 'project', category: 'category',
  reviewed: 'reviewed', correct: 'correct', severity: 'severity', notes: 'notes',
};

let number = 0;
export function emptyRow(): SheetRow {
  number += 1;
  return { id: number, cells: { member: '', project: '', category: '', reviewed: '', correct: '', severity: '', notes: '' } };
}

export function isEmpty({ cells }: SheetRow): boolean {
  return COLUMNS.every((name) => cells[name].trim() === '');
}

/** A cell in quotes: only where they close at its end. Of what else begins with one, such as `"big" birds`, it is text. */
const QUOTED = /"([^"]*(?:""[^"]*)*)"(?=[\t\r\n]|$)/y;

/** Tab-separated text as spreadsheets copy it: a cell with a tab, a line or a quote stands in quotes. */
export function tableOf(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = '';
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at] as string;
    QUOTED.lastIndex = at;
    const quoted = one === '"' && cell === '' ? QUOTED.exec(text) : null;
    if (quoted) {
      cell = (quoted[1] ?? '').replaceAll('""', '"');
      at = QUOTED.lastIndex - 1;
    } else if (one === '\t' || one === '\n') {
      rows.at(-1)?.push(cell);
      cell = '';
      if (one === '\n') rows.push([]);
    } else if (one !== '\r') cell += one;
  }
  rows.at(-1)?.push(cell);
  return rows.filter((row) => row.some((one) => one.trim() !== ''));
}

/** Lines of a paste, and the columns that their cells belong to. */
export interface Pasted {
  lines: readonly string[][];
  names: readonly ColumnName[];
}

/** A paste into this column. Throws an Error whose words are for the person who pasted. */
export function pastedOf(text: string, column: ColumnName): Pasted {
  if (text.length > MOST_CHARACTERS) {
    throw new Error(`The text has ${Math.round(text.length / 1000)} thousand characters; a paste takes ${MOST_CHARACTERS / 1000} thousand. Nothing was changed. Import the workbook instead, or paste it in parts.`);
  }
  const table = tableOf(text);
  const headings = (table[0] ?? []).map((one) => HEADINGS[one.trim().toLowerCase()]);
  const headed = headings.length > 1 && headings.every((one) => one !== undefined);
  const lines = headed ? table.slice(1) : table;
  if (lines.length > MOST_ROWS) {
    throw new Error(`${lines.length} rows were pasted; ${MOST_ROWS} fit at once. Nothing was changed. Import the workbook instead, or paste it in parts.`);
  }
  return { lines, names: headed ? (headings as ColumnName[]) : COLUMNS.slice(COLUMNS.indexOf(column)) };
}

/** The rows with a paste from this row on; all others stay. */
export function spread(rows: readonly SheetRow[], { lines, names }: Pasted, row: number): SheetRow[] {
  const next = [...rows];
  lines.forEach((line, offset) => {
    const before = next[row + offset] ?? emptyRow();
    const cells = { ...before.cells };
    names.forEach((name, index) => {
      const found = line[index];
      if (found !== undefined) cells[name] = found;
    });
    next[row + offset] = { id: before.id, cells };
  });
  return next;
}

/** 47, 47,0 and 47.00 are a number of pieces; nothing else is guessed. */
export function countOf(text: string): number | undefined {
  const found = /^(\d{1,12})([.,]0{1,2})?$/.exec(text.trim());
  return found ? Number(found[1]) : undefined;
}

/** Who and what there is: ids, and names that only one has. */
export interface Known {
  members: ReadonlyMap<string, string>;
  projects: ReadonlyMap<string, string>;
}

export type Verdict = Partial<Record<ColumnName, string>>;

export function judged({ cells }: SheetRow, known: Known | undefined): Verdict {
  const found: Verdict = {};
  const [reviewed, correct] = [countOf(cells.reviewed), countOf(cells.correct)];
  if (!cells.member.trim()) found.member = 'a member is missing';
  else if (known && !known.members.has(cells.member.trim().toLowerCase())) found.member = `no member is called ${cells.member.trim().slice(0, 60)}`;
  if (!cells.project.trim()) found.project = 'a project is missing';
  else if (known && !known.projects.has(cells.project.trim().toLowerCase())) found.project = `no project is called ${cells.project.trim().slice(0, 60)}`;
  if (!cells.category.trim()) found.category = 'a category is missing';
  else if (cells.category.trim().length > MOST_CATEGORY) found.category = `a category has at most ${MOST_CATEGORY} characters`;
  if (reviewed === undefined || reviewed < 1) found.reviewed = 'reviewed is a whole number from 1';
  if (correct === undefined) found.correct = 'correct is a whole number from 0';
  else if (reviewed !== undefined && correct > reviewed) found.correct = `correct ${correct} exceeds reviewed ${reviewed}`;
  const severity = cells.severity.trim().toLowerCase();
  if (severity && !SEVERITIES.some((one) => one === severity)) found.severity = `severity is ${SEVERITIES.join(', ')} or nothing`;
  if (cells.notes.length > MOST_NOTES) found.notes = `notes have at most ${MOST_NOTES} characters`;
  return found;
}

/** Whom and what a row names, as it goes out now with this key. */
export function sentAs({ cells }: SheetRow, key: string, week: string, known: Known | undefined): Sent {
  const member = known?.members.get(cells.member.trim().toLowerCase()) ?? cells.member.trim();
  const project = known?.projects.get(cells.project.trim().toLowerCase()) ?? cells.project.trim();
  return { key, at: Date.now(), week, member, project };
}

/** Texts go as they are: what looks like HTML or a formula is text. */
export function fieldsOf(cells: Cells, { week, member, project }: Sent): Record<string, unknown> {
  return {
    week,
    member_id: member,
    project_id: project,
    category: cells.category.trim(),
    reviewed: countOf(cells.reviewed),
    correct: countOf(cells.correct),
    severity: cells.severity.trim().toLowerCase() || null,
    notes: cells.notes,
  };
}

/** Ids, and names in small letters; a name that two have stands for nobody. */
export function namesOf<R>(rows: readonly R[], id: (row: R) => string, name: (row: R) => string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const twice = new Set<string>();
  for (const row of rows) {
    const key = name(row).toLowerCase();
    if (found.has(key)) twice.add(key);
    found.set(key, id(row));
  }
  for (const key of twice) found.delete(key);
  for (const row of rows) found.set(id(row).toLowerCase(), id(row));
  return found;
}
