// The grid of cells as a control: pointer, keyboard (arrows, page, home, end, enter, escape), words for screen readers.
import { KeyboardEvent, MouseEvent, ReactNode, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { locationService } from '@grafana/runtime';
import { useTheme2 } from '@grafana/ui';
import { Column, Cursor, Row, headHeight, layoutOf, paintCells, paintHead } from './paint';
import { Bubble, Legend, LegendItem, wordsForBlank } from './parts';

interface CellsProps {
  title: string;
  /** what the rows of a group are, in the plural */
  what: string;
  width: number;
  height: number;
  rows: Row[];
  columns: Column[];
  legend: LegendItem[];
  tools?: ReactNode;
  onPaint: (milliseconds: number) => void;
}

interface Pointed extends Cursor {
  x: number;
  y: number;
  byKey: boolean;
}

const toolsHeight = 34;

function legendHeight(items: LegendItem[], width: number): number {
  const letters_px = items.reduce((sum, { label }) => sum + label.length * 6.3 + 36, 0);
  return items.length ? 8 + 19 * Math.ceil(letters_px / (width - 20) + 0.15) : 0;
}

function spoken(row: Row, column: Column | undefined, cursor: Cursor, what: string): string {
  if (!column) return row.folder ? `${row.label}, ${row.folder.size} ${what}, ${row.folder.open ? 'déplié' : 'replié'}` : row.label;
  const name = row.group && !row.folder ? `${row.group}, ${row.label}` : row.label;
  const cell = row.cells[cursor.column];
  return `${name}, ${column.spoken} : ${!cell || cell.value === null ? wordsForBlank() : cell.text}`;
}

function Details({ row, column, cursor, what }: { row: Row; column?: Column; cursor: Cursor; what: string }) {
  const cell = row.cells[cursor.column];
  const missing = !cell || cell.value === null;
  return (
    <>
      <strong>{row.group && !row.folder ? `${row.group} · ${row.label}` : row.label}</strong>
      {column && <div>{column.spoken}</div>}
      {column && (
        <div>
          <b>{missing ? 'Aucune donnée reçue' : cell.text}</b>
          {row.folder && !missing && cell.value! >= 0 && ` en moyenne des ${what} qui ont un chiffre`}
        </div>
      )}
      {row.folder ? <em>{row.folder.open ? 'Cliquer pour replier' : `Cliquer pour déplier les ${row.folder.size} ${what}`}</em> : row.link && <em>{row.link.title}</em>}
    </>
  );
}

function open(row: Row): void {
  if (row.folder) row.folder.toggle();
  else if (row.link) locationService.push(row.link.href);
}

export function Cells({ title, what, width, height, rows, columns, legend, tools, onPaint }: CellsProps) {
  const theme = useTheme2();
  const box = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLCanvasElement>(null);
  const body = useRef<HTMLCanvasElement>(null);
  const cellId = useId();
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [scrolled, setScrolled] = useState(0);
  const room = Math.max(60, height - headHeight - legendHeight(legend, width) - (tools ? toolsHeight : 0));
  const layout = useMemo(() => layoutOf(rows, columns, width, room), [rows, columns, width, room]);
  const { rowHeight, viewHeight, gutter, cellWidth, xs } = layout;

  useLayoutEffect(() => paintHead(head.current!, columns, layout, theme), [columns, layout, theme]);
  useLayoutEffect(() => {
    const started = performance.now();
    paintCells(body.current!, rows, layout, scrolled, pointed, theme);
    onPaint(performance.now() - started);
  }, [rows, layout, scrolled, pointed, theme, onPaint]);

  const at = ({ clientX, clientY }: MouseEvent): Pointed | null => {
    const { left, top } = body.current!.getBoundingClientRect();
    const row = Math.floor((clientY - top + scrolled) / rowHeight);
    const column = clientX - left < gutter ? -1 : xs.findLastIndex((x) => clientX - left >= x);
    return row >= 0 && row < rows.length ? { row, column, x: clientX, y: clientY, byKey: false } : null;
  };
  const moveTo = (asked: Cursor) => {
    const row = Math.max(0, Math.min(rows.length - 1, asked.row));
    const column = Math.max(-1, Math.min(columns.length - 1, asked.column));
    const top = Math.min(Math.max(scrolled, (row + 1) * rowHeight - viewHeight), row * rowHeight);
    box.current!.scrollTop = top;
    setScrolled(top);
    const area = box.current!.getBoundingClientRect();
    setPointed({ row, column, x: area.left + (column < 0 ? gutter : xs[column] + cellWidth), y: area.top + (row + 1) * rowHeight - top, byKey: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { row, column } = pointed ?? { row: 0, column: -1 };
    const page = Math.floor(viewHeight / rowHeight);
    const moves: Record<string, Cursor> = {
      ArrowDown: { row: row + 1, column },
      ArrowUp: { row: row - 1, column },
      ArrowRight: { row, column: column + 1 },
      ArrowLeft: { row, column: column - 1 },
      PageDown: { row: row + page, column },
      PageUp: { row: row - page, column },
      Home: { row, column: 0 },
      End: { row, column: columns.length - 1 },
    };
    if (moves[event.key]) moveTo(moves[event.key]);
    else if (event.key === 'Enter' || event.key === ' ') open(rows[row]);
    else if (event.key === 'Escape') setPointed(null);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent) => {
    const hit = at(event);
    if (!hit) return;
    const hovers = matchMedia('(hover: hover)').matches;
    if (rows[hit.row].folder || hovers || hit.column < 0) open(rows[hit.row]);
    else setPointed(hit); // a finger's first touch shows what a pointer shows by hovering
  };

  const row = pointed ? rows[pointed.row] : undefined;
  const column = pointed ? columns[pointed.column] : undefined;
  const words = pointed && row ? spoken(row, column, pointed, what) : '';
  return (
    <div className="ent-grid">
      {tools && (
        <div className="ent-tools" style={{ height: toolsHeight }}>
          {tools}
        </div>
      )}
      <canvas ref={head} aria-hidden="true" />
      <div
        ref={box}
        className="ent-scroll"
        style={{ height: viewHeight }}
        tabIndex={0}
        role="grid"
        aria-label={`${title} : ${rows.length} lignes, ${columns.length} colonnes. Flèches pour se déplacer, Entrée pour ouvrir.`}
        aria-rowcount={rows.length}
        aria-colcount={columns.length}
        aria-activedescendant={pointed ? cellId : undefined}
        onScroll={({ currentTarget }) => {
          setScrolled(currentTarget.scrollTop);
          setPointed((kept) => (kept?.byKey ? kept : null));
        }}
        onMouseMove={(event) => setPointed(at(event))}
        onMouseLeave={() => setPointed(null)}
        onBlur={() => setPointed(null)}
        onFocus={({ target }) => target.matches(':focus-visible') && moveTo({ row: 0, column: -1 })}
        onClick={onClick}
        onKeyDown={onKeyDown}
      >
        <div style={{ height: rows.length * rowHeight, position: 'relative' }}>
          <canvas ref={body} aria-hidden="true" className="ent-cells" style={{ cursor: row && (row.folder || row.link) ? 'pointer' : 'default' }} />
        </div>
        {pointed && (
          <div role="row" aria-rowindex={pointed.row + 1} className="ent-hidden">
            <div role="gridcell" id={cellId} aria-colindex={pointed.column + 2}>
              {words}
            </div>
          </div>
        )}
      </div>
      {legend.length > 0 && <Legend items={legend} />}
      <div className="ent-hidden" aria-live="polite">
        {pointed?.byKey ? words : ''}
      </div>
      {pointed && row && (column || pointed.byKey) && (
        <Bubble x={pointed.x} y={pointed.y}>
          <Details row={row} column={column} cursor={pointed} what={what} />
        </Bubble>
      )}
    </div>
  );
}
