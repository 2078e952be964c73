/**
 * Who rests on a column's header is about to sort by it: the rows are asked for meanwhile.
 * Belongs here: which column a pointer or the focus is on. Does not belong here: asking (useList.ts).
 */
import { useEffect, useRef, type FocusEvent, type PointerEvent } from 'react';

/** A pointer that only crosses the headers is gone by then. */
const REST_MS = 80;

interface Sorted {
  /** The columns in their order, with those that are not shown. */
  columns: readonly { id?: string; sortingField?: string }[];
  display: readonly { id: string; visible: boolean }[];
  /** Whether the first cell of a row is a box. */
  boxes: boolean;
  /** The order of now, as the API says it. */
  sort: string;
}

/** What the frame of a table listens to. `ask` is told the order that a press on the header would lead to. */
export function useSortAhead({ columns, display, boxes, sort }: Sorted, ask: (sort: string) => void) {
  const waiting = useRef<{ timer: number; on: Element } | undefined>(undefined);
  const leave = () => {
    window.clearTimeout(waiting.current?.timer);
    waiting.current = undefined;
  };
  useEffect(() => leave, []);
  const come = ({ target }: FocusEvent | PointerEvent) => {
    const cell = target instanceof Element ? target.closest<HTMLTableCellElement>('thead th') : null;
    if (cell === waiting.current?.on) return;
    leave();
    if (!cell) return;
    const shown = display.filter(({ visible }) => visible)[cell.cellIndex - (boxes ? 1 : 0)];
    const field = columns.find(({ id }) => id === shown?.id)?.sortingField;
    if (field) waiting.current = { on: cell, timer: window.setTimeout(() => ask(sort === field ? `-${field}` : field), REST_MS) };
  };
  return { onPointerOver: come, onPointerLeave: leave, onFocus: come, onBlur: leave };
}
