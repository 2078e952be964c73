/**
 * What a screen says about a kind of item, and no more: columns, filters, fields, actions. The rest follows.
 * Belongs here: the types of a description. Does not belong here: showing one (ResourceScreen.tsx and below).
 */
import type { ReactNode } from 'react';

import type { Query, Table } from '../api/client';
import type { Role } from '../auth/roles';

/** What every row of the API has. */
export interface Row {
  key: string;
  version: number;
}

export interface Column<R> {
  id: string;
  header: string;
  cell: (row: R) => ReactNode;
  /** The field of `sort` in the API; without it the column cannot be sorted. */
  sort?: string;
  width?: number;
  /** The one that names the row and opens it. */
  main?: boolean;
  /** Shown only when a person asks for it in the preferences. */
  optional?: boolean;
}

export interface Filter {
  /** The name of the query parameter. */
  name: string;
  label: string;
  /** The values it can have; without them any text is taken. */
  options?: readonly string[];
  /** How a value reads; as it is, without it. */
  show?: (value: string) => string;
}

/** What an input gives: the API judges it. */
export type Value = unknown;
export type Values = Record<string, Value>;

export type FieldKind =
  | { kind: 'text' | 'long' | 'day' | 'number' }
  | { kind: 'choice'; options: readonly string[]; show?: (value: string) => string }
  | { kind: 'yes' }
  | { kind: 'of-list'; list: string; query?: Query; value: string; show: (row: never) => string }
  | { kind: 'custom'; input: (value: Value, set: (value: Value) => void, label: string, item: Row | undefined) => ReactNode };

export interface Field {
  /** The name of the field in the API. */
  name: string;
  label: string;
  input: FieldKind;
  hint?: string;
  required?: boolean;
  /** Decided when an item is made, and never after. */
  once?: boolean;
  /** Shown in the panel, and never asked of who makes an item. */
  decided?: true;
  /** Shown by `details`, not among the values of the panel. */
  apart?: true;
  /** How a value reads in comparisons; without it as text. */
  show?: (value: Value) => string;
  /** Holds the id of a member or an account. */
  person?: true;
  initial?: Value;
  /** What it begins with where that changes, such as today: asked when a form opens, never when the code is loaded. */
  starts?: () => Value;
}

/** A write of the bulk route: what becomes of each selected row. `undefined` leaves a row out, with the reason. */
export interface BulkEdit<R> {
  id: string;
  text: string;
  fields: readonly Field[];
  change: (row: R, values: Values) => Values;
}

/** A step that an item takes: `POST …/<key>/<verb>`. On one item, or on each of many. */
export interface Verb<R> {
  id: string;
  text: string;
  verb: string;
  /** What is sent with it, asked from the person once for all rows; of these rows where that differs. */
  fields?: readonly Field[] | ((rows: readonly R[]) => readonly Field[]);
  body?: (row: R, values: Values) => unknown;
  /** Whether a row can take it now; the API has the last word. */
  fits?: (row: R) => boolean;
  /** The API takes it back like an edit, so an undo is offered. Of most steps it does not: the next step follows. */
  undone?: boolean;
  /** Of one item it is taken with one click: another step takes it back. */
  quick?: boolean;
  /** What becomes of the row, in the preview. */
  effect: (row: R, values: Values) => string;
}

export interface Description<R extends Row> {
  /** The table: its name in exports, in the change log and in saved preferences. */
  table: Table;
  path: string;
  noun: string;
  nouns: string;
  columns: readonly Column<R>[];
  filters: readonly Filter[];
  /** What `q` looks into, for the placeholder; without it there is no search for text. */
  search?: string;
  /** Always sent with the list. */
  fixed?: Record<string, string | string[]>;
  /** The order without one in the address. */
  sort?: string;
  /** The weeks that the list has where no filter names any, in words: “of the last four weeks”. */
  span?: string;
  /** Whether the list is of one week, with a picker; `week` is in the address. */
  weekly?: boolean;
  /** Who may write; planners without it. */
  writers?: readonly Role[];
  /** Who may make one, where others may than those who edit. */
  creators?: readonly Role[];
  /** The fields of the form; without them nothing is created or edited. */
  fields?: readonly Field[];
  create?: boolean;
  /** What the form gives becomes what is sent, where they differ. */
  sent?: (values: Values) => Values;
  remove?: boolean;
  bulk?: readonly BulkEdit<R>[];
  verbs?: readonly Verb<R>[];
  /** How a row is named in titles and messages. */
  name: (row: R) => string;
  /** More about an item, in its panel, above its history. */
  details?: (row: R) => ReactNode;
  empty?: string;
  /** Without `past` there is no as-of and no history. */
  past?: false;
}

/** What a field of a form holds before anything is typed. */
export function startOf({ initial, starts }: Field): Value {
  return starts ? starts() : initial;
}

export function textOf(value: Value): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

export function same(one: Value, other: Value): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** What makes an item exactly as wanted: the API merges objects into what is there (RFC 7396), so what they lose is named. */
export function patchOf(before: object, wanted: Values): Values {
  const merged = ([name, value]: [string, Value]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [name, value];
    const lost = Object.keys((before as Values)[name] ?? {}).map((key) => [key, null]);
    return [name, { ...Object.fromEntries(lost), ...value }];
  };
  return Object.fromEntries(Object.entries(wanted).map(merged));
}

export function shown(field: Field | undefined, value: Value): string {
  return field?.show && value !== null && value !== undefined ? field.show(value) : textOf(value);
}
