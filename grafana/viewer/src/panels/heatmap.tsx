// A heat map: a row for each series (the first at the bottom, as Grafana draws them), a column for each time, a shade for
// the figure. Drawn on the same grid of cells as a status history.
import { useCallback, useMemo } from 'react';
import { Field, FieldColorModeId, FieldType, GrafanaTheme2, fieldColorModeRegistry, formattedValueToString } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { note } from '../report';
import { Cells } from './cells';
import { columnsOf } from './history';
import { Cell, Row } from './paint';
import { Empty, LegendItem, Props, drew, hasData, linksOf, nameOf, textOf } from './parts';

interface HeatMapOptions {
  color?: { scheme?: string; min?: number; max?: number };
  legend?: { show?: boolean };
}

type Shade = (value: number) => string;
const legendSteps = 5;
/** A zero is a cell that can be seen; only what is missing has no colour. */
const zeroShade = 0.2;

/** The panel's scheme where Grafana knows it as a colour mode, else blues, which everybody tells apart. */
function shadeOf(field: Field, options: HeatMapOptions, [least, most]: [number, number], theme: GrafanaTheme2): Shade {
  const asked = `continuous-${options.color?.scheme ?? 'blues'}`.toLowerCase();
  const mode = fieldColorModeRegistry.list().find(({ id }) => id.toLowerCase() === asked) ?? fieldColorModeRegistry.get(FieldColorModeId.ContinuousBlues);
  const calculate = mode.getCalculator(field, theme);
  return (value) => calculate(value, zeroShade + (1 - zeroShade) * Math.max(0, Math.min(1, (value - least) / (most - least || 1))));
}

function legendOf(field: Field, shade: Shade, [least, most]: [number, number]): LegendItem[] {
  return Array.from({ length: legendSteps }, (_, step) => {
    const value = least + ((most - least) * step) / (legendSteps - 1);
    return { label: formattedValueToString(field.display!(value)), color: shade(value) };
  });
}

export function HeatMapPanel(props: Props<HeatMapOptions>) {
  const theme = useTheme2();
  const { data, options, title, width, height, id } = props;
  const drawn = useMemo(() => {
    const frame = data.series.find(({ fields }) => fields.some(({ type }) => type === FieldType.time));
    const time = frame?.fields.find(({ type }) => type === FieldType.time);
    const fields = frame?.fields.filter(({ type }) => type === FieldType.number) ?? [];
    if (!time || !fields.length) return undefined;
    const figures = fields.flatMap(({ values }) => values.filter((value: number | null): value is number => value !== null));
    const range: [number, number] = [options.color?.min ?? 0, options.color?.max ?? Math.max(...figures, 0)];
    const shade = shadeOf(fields[0], options, range, theme);
    const rows = fields.map((field, at): Row => {
      const cells = field.values.map((value: number | null): Cell => (value === null ? { value, text: '' } : { value, text: textOf(field.display!(value)), color: shade(value) }));
      const [link] = linksOf(field);
      return { key: String(at), label: nameOf(field, data), cells, mean: 0, link: link && { href: link.href, title: link.title } };
    });
    return { columns: columnsOf(time.values as number[]), rows: rows.reverse(), legend: legendOf(fields[0], shade, range) };
  }, [data, options, theme]);
  const onPaint = useCallback((milliseconds: number) => note(id, { drawn: true, paint_ms: Math.round(milliseconds * 10) / 10 }), [id]);
  drew(props, { drawn: hasData(props), gridRows: drawn?.rows.length, gridColumns: drawn?.columns.length });
  if (!drawn || !hasData(props)) return <Empty height={height} fieldConfig={props.fieldConfig} />;
  return <Cells title={title} what="lignes" width={width} height={height} rows={drawn.rows} columns={drawn.columns} legend={options.legend?.show === false ? [] : drawn.legend} onPaint={onPaint} />;
}
