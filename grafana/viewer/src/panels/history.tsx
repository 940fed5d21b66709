// Status history: a row for each series, a column for each time. The label with the fewest values (the school) groups the
// rows (the classes); a group shows the mean of its rows until it is unfolded. Labels that end in _id only order and link.
import { useCallback, useMemo, useState } from 'react';
import { Field, FieldType, GrafanaTheme2, PanelData } from '@grafana/data';
import { VizLegendOptions } from '@grafana/schema';
import { Button, useTheme2 } from '@grafana/ui';
import { isMonday, longDate, shortDate } from '../french';
import { note } from '../report';
import { Cells } from './cells';
import { Cell, Column, Row } from './paint';
import { Empty, Props, drew, hasData, hasWord, linksOf, nameOf, scaleOf, textOf, wordsForBlank } from './parts';

const orders = { name: 'par nom', low: 'moins actives en tête', high: 'plus actives en tête' };
type Order = keyof typeof orders;

function cellOf(field: Field, value: number | null | undefined): Cell {
  if (value === null || value === undefined || Number.isNaN(value)) return { value: null, text: '' };
  const display = field.display!(value);
  return { value, text: textOf(display), color: display.color, hatched: value < 0, crossed: value >= 0 && hasWord(field, value) };
}

export function columnsOf(times: number[]): Column[] {
  const steps = times.slice(1).map((time, at) => time - times[at]);
  const step = Math.min(...steps);
  return times.map((time, at) => {
    const since = at ? steps[at - 1] : 0;
    const week = isMonday(time) || since > step * 1.5;
    const label = at === 0 || isMonday(time) || since > step * 4 ? shortDate(time) : '';
    return { label, spoken: longDate(time), gap: since > step * 4.5 ? 14 : at && week ? 4 : 0 };
  });
}

/** The label that tells few groups of several rows apart, if there is one. */
function groupingLabel(fields: Field[]): string | undefined {
  const values = new Map<string, Set<string>>();
  for (const { labels } of fields) for (const [name, value] of Object.entries(labels ?? {})) if (!name.endsWith('_id')) values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].filter(([, { size }]) => size > 1 && size * 2 <= fields.length).sort(([, a], [, b]) => a.size - b.size)[0]?.[0];
}

interface History {
  columns: Column[];
  rows: Row[];
  grouped: boolean;
  sample?: Field;
}

function historyOf(data: PanelData): History {
  const series = data.series.flatMap(({ fields }) => {
    const time = fields.find(({ type }) => type === FieldType.time);
    return time ? fields.filter(({ type }) => type === FieldType.number).map((field) => ({ field, times: time.values as number[] })) : [];
  });
  const times = [...new Set(series.flatMap((one) => one.times))].sort((a, b) => a - b);
  const columnOf = new Map(times.map((time, column) => [time, column]));
  const by = groupingLabel(series.map(({ field }) => field));
  const rows = series.map(({ field, times: own }, at): Row => {
    const cells = new Array<Cell | undefined>(times.length).fill(undefined);
    own.forEach((time, row) => (cells[columnOf.get(time)!] = cellOf(field, field.values[row] as number | null)));
    const [link] = linksOf(field);
    return { key: String(at), label: nameOf(field, data), group: by && field.labels?.[by], cells, mean: meanOf(cells) ?? -1, link: link && { href: link.href, title: link.title } };
  });
  return { columns: columnsOf(times), rows, grouped: Boolean(by), sample: series[0]?.field };
}

/** The mean of the figures; masked cells and those without data do not count. */
function meanOf(cells: Array<Cell | undefined>): number | undefined {
  const figures = cells.flatMap((cell) => (cell && cell.value !== null && cell.value >= 0 ? [cell.value] : []));
  return figures.length ? figures.reduce((sum, value) => sum + value, 0) / figures.length : undefined;
}

function sorted(rows: Row[], order: Order): Row[] {
  if (order === 'name') return rows;
  return [...rows].sort((a, b) => (order === 'low' ? a.mean - b.mean : b.mean - a.mean));
}

function folderOf(name: string, members: Row[], sample: Field, opened: boolean, toggle: () => void): Row {
  const cells = members[0].cells.map((_, column) => {
    const below = members.flatMap((row) => row.cells[column] ?? []).filter(({ value }) => value !== null);
    if (!below.length) return undefined;
    // Where some are masked and the others are zero, a mean of zero would be wrong: the masked one speaks for all.
    const masked = below.find(({ value }) => value! < 0);
    return cellOf(sample, meanOf(below) || (masked ?? below[0]).value);
  });
  return { key: name, label: name, group: name, cells, mean: meanOf(members.map(({ mean }) => ({ value: mean, text: '' }))) ?? -1, folder: { open: opened, size: members.length, toggle } };
}

function legendOf(history: History, theme: GrafanaTheme2) {
  const missing = history.rows.some(({ cells }) => cells.some((cell) => !cell || cell.value === null));
  return [...scaleOf(history.sample!, theme), ...(missing ? [{ label: `Case vide : ${wordsForBlank()}`, color: 'transparent' }] : [])];
}

export function StatusHistoryPanel(props: Props<{ legend?: VizLegendOptions }>) {
  const theme = useTheme2();
  const { data, options, title, width, height, id } = props;
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [order, setOrder] = useState<Order>('name');
  const history = useMemo(() => historyOf(data), [data]);
  const groups = useMemo(() => {
    const members = new Map<string, Row[]>();
    if (history.grouped) for (const row of history.rows) members.set(row.group!, [...(members.get(row.group!) ?? []), row]);
    return members;
  }, [history]);
  const rows = useMemo(() => {
    if (!history.grouped) return sorted(history.rows, order);
    const toggle = (name: string) => setOpened((kept) => new Set(kept.has(name) ? [...kept].filter((other) => other !== name) : [...kept, name]));
    const folders = [...groups].map(([name, members]) => folderOf(name, members, history.sample!, opened.has(name), () => toggle(name)));
    return sorted(folders, order).flatMap((folder) => [folder, ...(folder.folder!.open ? sorted(groups.get(folder.label)!, order) : [])]);
  }, [history, groups, opened, order]);
  const onPaint = useCallback((milliseconds: number) => note(id, { drawn: true, paint_ms: Math.round(milliseconds * 10) / 10 }), [id]);

  drew(props, { drawn: hasData(props), gridRows: rows.length, gridColumns: history.columns.length, classes: history.rows.length });
  if (!hasData(props) || !history.sample) return <Empty height={height} fieldConfig={props.fieldConfig} />;
  const tools = (
    <>
      <label>
        Ordre{' '}
        <select value={order} onChange={({ target }) => setOrder(target.value as Order)}>
          {Object.entries(orders).map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {history.grouped && (
        <Button size="sm" variant="secondary" fill="outline" onClick={() => setOpened(new Set(opened.size ? [] : groups.keys()))}>
          {opened.size ? 'Tout replier' : `Tout déplier (${history.rows.length})`}
        </Button>
      )}
    </>
  );
  const legend = options.legend?.showLegend === false ? [] : legendOf(history, theme);
  const what = data.series.some(({ fields }) => fields.some(({ labels }) => labels?.classe)) ? 'classes' : 'lignes';
  return <Cells title={title} what={what} width={width} height={height} rows={rows} columns={history.columns} legend={legend} tools={tools} onPaint={onPaint} />;
}
