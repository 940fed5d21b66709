// Rows x columns of coloured cells on a canvas. Only the rows in view are painted: 450 and more cost nothing.
import { GrafanaTheme2 } from '@grafana/data';

export interface Cell {
  /** null: no data came in */
  value: number | null;
  text: string;
  color?: string;
  /** a value that stands for words (masked) is hatched, so that it cannot be taken for a colour of the scale */
  hatched?: boolean;
  /** a figure that has a word of its own (zero) is crossed, so that its colour need not be told from those of the scale */
  crossed?: boolean;
}

export interface Row {
  key: string;
  label: string;
  group?: string;
  cells: Array<Cell | undefined>;
  /** mean of the cells that hold a figure; -1: none does */
  mean: number;
  /** a group of rows, folded or not, and how many rows it holds */
  folder?: { open: boolean; size: number; toggle: () => void };
  link?: { href: string; title: string };
}

export interface Column {
  label: string;
  spoken: string;
  /** pixels left free before it, between weeks and over holidays */
  gap: number;
}

export interface Layout {
  gutter: number;
  cellWidth: number;
  rowHeight: number;
  width: number;
  viewHeight: number;
  xs: number[];
}

export const headHeight = 22;

export function layoutOf(rows: Row[], columns: Column[], width: number, height: number): Layout {
  const narrow = width < 520;
  const longest = Math.max(0, ...rows.slice(0, 500).map(({ label }) => label.length));
  const gutter = Math.min(narrow ? 118 : width > 1000 ? 260 : 210, 24 + longest * 7);
  const usable = width - 6;
  const gaps = columns.reduce((sum, { gap }) => sum + gap, 0);
  const cellWidth = Math.max(4, (usable - gutter - gaps - 8) / Math.max(1, columns.length));
  const rowHeight = Math.max(narrow ? 20 : 17, Math.min(30, Math.floor(height / Math.max(1, rows.length))));
  let x = gutter;
  const xs = columns.map(({ gap }) => {
    const at = x + gap;
    x = at + cellWidth;
    return at;
  });
  return { gutter, cellWidth, rowHeight, width: usable, viewHeight: Math.min(height, rows.length * rowHeight), xs };
}

/** Sizes a canvas for the screen's pixels and empties it. */
function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d')!;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.textBaseline = 'middle';
  return context;
}

function hatching(context: CanvasRenderingContext2D, color: string): CanvasPattern {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const pen = tile.getContext('2d')!;
  pen.strokeStyle = color;
  pen.lineWidth = 1.6;
  for (const [x1, y1, x2, y2] of [[-1, 7, 7, -1], [-1, 1, 1, -1], [5, 7, 7, 5]]) {
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat')!;
}

export function paintHead(canvas: HTMLCanvasElement, columns: Column[], layout: Layout, theme: GrafanaTheme2): void {
  const context = prepared(canvas, layout.width, headHeight);
  context.font = `11px ${theme.typography.fontFamily}`;
  context.fillStyle = theme.colors.text.secondary;
  let free = -Infinity;
  columns.forEach(({ label }, column) => {
    const x = layout.xs[column];
    const width = context.measureText(label).width;
    if (!label || x < free || x + width > layout.width) return;
    context.fillText(label, x, headHeight / 2);
    free = x + width + 10;
  });
}

function paintArrow(context: CanvasRenderingContext2D, open: boolean, y: number, color: string): void {
  context.beginPath();
  const points = open ? [[3, y - 2], [7, y + 3], [11, y - 2]] : [[5, y - 4], [10, y], [5, y + 4]];
  points.forEach(([px, py], at) => (at ? context.lineTo(px, py) : context.moveTo(px, py)));
  context.strokeStyle = color;
  context.lineWidth = 1.6;
  context.stroke();
}

function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  let kept = text;
  while (kept.length > 3 && context.measureText(kept).width > room) kept = kept.slice(0, -2).replace(/…?$/, '…');
  return kept;
}

export interface Cursor {
  row: number;
  /** -1: the row's label */
  column: number;
}

export function paintCells(canvas: HTMLCanvasElement, rows: Row[], layout: Layout, scrolled: number, cursor: Cursor | null, theme: GrafanaTheme2): void {
  const { gutter, cellWidth, rowHeight, width, viewHeight, xs } = layout;
  const context = prepared(canvas, width, viewHeight);
  const { text, border, background } = theme.colors;
  const grouped = rows.some(({ folder }) => folder);
  const inset = cellWidth > 7 ? 1 : 0.5;
  const patterns = new Map<string, CanvasPattern>();
  const last = Math.min(rows.length, Math.ceil((scrolled + viewHeight) / rowHeight));
  for (let at = Math.floor(scrolled / rowHeight); at < last; at++) {
    const { label, folder, cells } = rows[at];
    const y = at * rowHeight - scrolled;
    const middle = y + rowHeight / 2 + 0.5;
    if (folder?.open) {
      context.fillStyle = background.secondary;
      context.fillRect(0, y, width, rowHeight);
    }
    if (folder) paintArrow(context, folder.open, y + rowHeight / 2, text.secondary);
    context.font = `${folder ? 500 : 400} 12px ${theme.typography.fontFamily}`;
    context.fillStyle = folder || !grouped ? text.primary : text.secondary;
    const left = folder ? 16 : grouped ? 26 : 4;
    context.fillText(fitted(context, label, gutter - left - 8), left, middle);
    context.globalAlpha = folder?.open ? 0.55 : 1;
    xs.forEach((x, column) => {
      const cell = cells[column];
      const [w, h] = [cellWidth - 2 * inset, rowHeight - 2];
      if (!cell || cell.value === null) {
        context.strokeStyle = border.medium;
        context.lineWidth = 1;
        context.strokeRect(x + inset + 0.5, y + 1.5, Math.max(1, w - 1), h - 1);
        return;
      }
      const color = cell.color ?? text.disabled;
      if (cell.hatched && !patterns.has(color)) patterns.set(color, hatching(context, color));
      context.fillStyle = cell.hatched ? patterns.get(color)! : color;
      context.fillRect(x + inset, y + 1, w, h);
      if (cell.crossed) {
        context.strokeStyle = background.primary;
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(x + inset, y + 1 + h);
        context.lineTo(x + inset + w, y + 1);
        context.stroke();
      }
    });
    context.globalAlpha = 1;
  }
  if (cursor) {
    context.strokeStyle = text.maxContrast;
    context.lineWidth = 2;
    const label = cursor.column < 0;
    context.strokeRect(label ? 1 : xs[cursor.column], cursor.row * rowHeight - scrolled, label ? gutter - 4 : cellWidth, rowHeight - 0.5);
  }
}
