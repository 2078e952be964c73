/**
 * Members and days with their projects, as a grid for the keyboard. Only the rows in sight are in the page, on paper all.
 * Belongs here: showing and moving in the grid. Does not belong here: what a key writes (Capacity.tsx decides).
 */
import Icon from '@cloudscape-design/components/icon';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState, type KeyboardEvent } from 'react';

import { usePrinting } from '../../shell/printing';
import { daysOf, shortDay, weekdayName } from '../../time/weeks';
import { hoursText, type Line, type Piece } from './view';

interface Props {
  week: string;
  lines: readonly Line[];
  nameOf: (project: string) => string;
  /** What all names of projects begin with, left out where it hides the rest of them. */
  start: string;
  onOpen: (line: Line) => void;
  /** A key on the pieces of a day, or of the week. */
  onPin: (line: Line, pieces: readonly Piece[]) => void;
  onReassign: (line: Line, pieces: readonly Piece[]) => void;
  /** A piece that was dragged to another member; without it nothing can be dragged. */
  onDrop: ((piece: Piece, onto: Line) => void) | undefined;
}

const ROW_PX = 34;
const PAGE_ROWS = 10;
const LAST_COLUMN = 8;
// Plans divide hours over days to two places: less is no overload.
const ROUNDING_HOURS = 0.05;

export function Grid({ week, lines, nameOf, start, onOpen, onPin, onReassign, onDrop }: Props) {
  const host = useRef<HTMLDivElement>(null);
  // The cell that is to have the focus once it is drawn: an effect of the draw before knows another one.
  const wanted = useRef<string | undefined>(undefined);
  const [at, setAt] = useState<readonly [number, number]>([0, 0]);
  const dragged = useRef<Piece | undefined>(undefined);
  const [over, setOver] = useState<string | undefined>();
  const days = daysOf(week);
  const row = Math.min(at[0], Math.max(0, lines.length - 1));
  const column = at[1];
  const [headPx, head] = useHeight(ROW_PX);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => host.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    // The head lies in what scrolls and stays on top: so much less of it shows rows.
    scrollPaddingEnd: headPx,
    getItemKey: (index) => lines[index]?.member ?? index,
    // The row of the grid's one stop of Tab is in the page wherever a wheel scrolls to: it keeps the focus.
    rangeExtractor: (range) => {
      const found = defaultRangeExtractor(range);
      return found.includes(row) ? found : [...found, row].sort((one, other) => one - other);
    },
  });
  const printing = usePrinting();
  const shown = printing ? lines.map((line, index) => ({ index, key: line.member, start: 0 })) : rows.getVirtualItems();
  // A cell that was out of sight is there after the scroll that was asked for.
  useEffect(() => {
    const place = `${row} ${column}`;
    if (wanted.current !== place) return;
    const cell = host.current?.querySelector<HTMLElement>(`[data-cell="${place}"]`);
    if (!cell) return;
    wanted.current = undefined;
    cell.focus({ preventScroll: true });
    // The grid has been scrolled by then; the window may end above its last rows.
    cell.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  });
  const go = (nextRow: number, nextColumn: number) => {
    const target = Math.min(Math.max(0, nextRow), lines.length - 1);
    const place = Math.min(Math.max(0, nextColumn), LAST_COLUMN);
    wanted.current = `${target} ${place}`;
    setAt([target, place]);
    rows.scrollToIndex(target);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const line = lines[row];
    if (!line || event.altKey || event.metaKey) return;
    const day = days[column - 1];
    const pieces = day && column <= days.length ? line.pieces.filter(({ byDay }) => (byDay[day] ?? 0) > 0) : line.pieces;
    const moves: Record<string, () => void> = {
      ArrowUp: () => go(row - 1, column),
      ArrowDown: () => go(row + 1, column),
      ArrowLeft: () => go(row, column - 1),
      ArrowRight: () => go(row, column + 1),
      PageUp: () => go(row - PAGE_ROWS, column),
      PageDown: () => go(row + PAGE_ROWS, column),
      Home: () => go(event.ctrlKey ? 0 : row, 0),
      End: () => go(event.ctrlKey ? lines.length - 1 : row, LAST_COLUMN),
      Enter: () => onOpen(line),
      p: () => onPin(line, pieces),
      m: () => onReassign(line, pieces),
    };
    const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!move || (event.ctrlKey && event.key.length === 1)) return;
    event.preventDefault();
    move();
  };
  const cell = (index: number, place: number) => ({
    'data-cell': `${index} ${place}`,
    'aria-colindex': place + 1,
    tabIndex: index === row && place === column ? 0 : -1,
    onFocus: () => setAt([index, place]),
  });
  return (
    <div className="plan-grid" role="grid" aria-label={`Members and days of ${week}`} aria-rowcount={lines.length + 1} aria-colcount={LAST_COLUMN + 1} ref={host} onKeyDown={onKeyDown}>
      <div role="rowgroup" className="plan-head" ref={head}>
        <div role="row" aria-rowindex={1} className="plan-row">
          <div role="columnheader" aria-colindex={1}>
            Member
          </div>
          {days.map((day, index) => (
            <div role="columnheader" key={day} aria-colindex={index + 2}>
              {weekdayName(day)} {shortDay(day)}
            </div>
          ))}
          <div role="columnheader" aria-colindex={LAST_COLUMN + 1}>
            Week
          </div>
        </div>
      </div>
      <div role="rowgroup" className="plan-body" style={{ blockSize: rows.getTotalSize() }}>
        {shown.map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <div
              key={item.key}
              ref={rows.measureElement}
              data-index={item.index}
              role="row"
              aria-rowindex={item.index + 2}
              className={over === line.member ? 'plan-row plan-over' : 'plan-row'}
              onDragOver={(event) => {
                if (!dragged.current || dragged.current.member === line.member) return;
                event.preventDefault(); // says that it may be dropped here
                setOver(line.member);
              }}
              onDragLeave={() => setOver(undefined)}
              onDrop={(event) => {
                event.preventDefault();
                setOver(undefined);
                if (dragged.current) onDrop?.(dragged.current, line);
              }}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <div role="rowheader" {...cell(item.index, 0)} onDoubleClick={() => onOpen(line)}>
                <button type="button" tabIndex={-1} className="plan-name" onClick={() => onOpen(line)}>
                  {line.name}
                </button>
                {line.team && <small className="quiet-text">{line.team}</small>}
              </div>
              {days.map((day, index) => (
                <div role="gridcell" key={day} {...cell(item.index, index + 1)} onDoubleClick={() => onOpen(line)}>
                  <DayCell line={line} day={day} nameOf={nameOf} start={start} onDrag={onDrop && ((piece) => (dragged.current = piece))} />
                </div>
              ))}
              <div role="gridcell" {...cell(item.index, LAST_COLUMN)}>
                <WeekCell line={line} />
              </div>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The height of what takes the reference, as it is now. */
function useHeight(first: number) {
  const [height, setHeight] = useState(first);
  const measure = useCallback((node: HTMLElement | null) => {
    if (!node) return undefined;
    const seen = new ResizeObserver(() => setHeight(node.offsetHeight));
    seen.observe(node);
    return () => seen.disconnect();
  }, []);
  return [height, measure] as const;
}

interface DayProps extends Pick<Props, 'nameOf' | 'start'> {
  line: Line;
  day: string;
  onDrag: ((piece: Piece | undefined) => void) | undefined;
}

function DayCell({ line, day, nameOf, start, onDrag }: DayProps) {
  const pieces = line.pieces.filter(({ byDay }) => (byDay[day] ?? 0) > 0);
  if (pieces.length === 0) {
    const free = line.availableBy?.[day];
    if (free === 0) return <span className="quiet-text">off</span>;
    return <span className="quiet-text">{free === undefined ? '' : 'free'}</span>;
  }
  return pieces.map((piece) => (
    <span
      key={piece.project}
      className="plan-piece"
      title={`${nameOf(piece.project)} (${piece.project})`}
      draggable={onDrag && piece.row !== undefined}
      onDragStart={(event) => {
        event.dataTransfer.setData('text/plain', nameOf(piece.project));
        event.dataTransfer.effectAllowed = 'move';
        onDrag?.(piece);
      }}
      onDragEnd={() => onDrag?.(undefined)}
    >
      {piece.pinned && <Icon name="lock-private" size="small" ariaLabel="pinned" />}
      <ProjectOf name={nameOf(piece.project)} start={start} /> <b className="number">{hoursText(piece.byDay[day] ?? 0)}</b>
    </span>
  ));
}

/** The whole name is read out; a cell shows what tells it from the others. */
function ProjectOf({ name, start }: { name: string; start: string }) {
  if (!start) return <span className="plan-project">{name}</span>;
  return (
    <span className="plan-project">
      <span className="read-out">{start}</span>
      <span aria-hidden="true">…</span>
      {name.slice(start.length)}
    </span>
  );
}

function WeekCell({ line }: { line: Line }) {
  const over = line.planned > line.available + ROUNDING_HOURS;
  const words = `${hoursText(line.planned)} of ${hoursText(line.available)} h`;
  return (
    <span className="load">
      <meter min={0} max={Math.max(line.available, line.planned, 1)} value={line.planned} aria-label={words} />
      <span className="number">{words}</span>
      {over && <Icon name="status-warning" variant="warning" size="small" ariaLabel="more than they have" />}
    </span>
  );
}
