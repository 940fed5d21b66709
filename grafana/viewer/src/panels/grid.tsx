// A table whose many columns are figures on coloured ground (an hour of the week, say) is a grid of cells: as a table it
// would be wider than the page.
import { useCallback, useMemo } from 'react';
import { DataFrame, Field, FieldType, getFieldDisplayName } from '@grafana/data';
import { TableCellDisplayMode } from '@grafana/schema';
import { useTheme2 } from '@grafana/ui';
import { note } from '../report';
import { Cells } from './cells';
import { Cell, Row } from './paint';
import { Props, drew, linksOf, scaleOf, textOf } from './parts';

const fewestColumns = 12;

const isColoured = ({ type, config }: Field) => {
  const cell = (config.custom as { cellOptions?: { type?: string } } | undefined)?.cellOptions?.type;
  return type === FieldType.number && cell === (TableCellDisplayMode.ColorBackground as string);
};

export const isGrid = (frame?: DataFrame): boolean => (frame?.fields.filter(isColoured).length ?? 0) >= fewestColumns;

function rowsOf(frame: DataFrame, columns: Field[]): Row[] {
  const label = frame.fields.find(({ type, name }) => type === FieldType.string && !name.endsWith('_id'));
  return Array.from({ length: frame.length }, (_, at): Row => {
    const cells = columns.map((field): Cell => {
      const value = field.values[at] as number | null;
      const display = field.display!(value);
      return { value, text: textOf(display), color: display.color, hatched: value !== null && value < 0 };
    });
    const [link] = label ? linksOf(label, at) : [];
    return { key: String(at), label: String(label?.values[at] ?? at + 1), cells, mean: 0, link: link && { href: link.href, title: link.title } };
  });
}

type Room = Pick<Props, 'data' | 'width' | 'height' | 'title' | 'id'>;

export function Grid({ props, frame }: { props: Room; frame: DataFrame }) {
  const theme = useTheme2();
  const { data, width, height, title, id } = props;
  const grid = useMemo(() => {
    const fields = frame.fields.filter(isColoured);
    const names = fields.map((field) => getFieldDisplayName(field, frame, data.series));
    const missing = fields.some(({ values }) => values.some((value: unknown) => value === null));
    const legend = [...scaleOf(fields[0], theme), ...(missing ? [{ label: 'Case vide : aucune donnée', color: 'transparent' }] : [])];
    return { columns: names.map((name) => ({ label: name, spoken: name, gap: 0 })), rows: rowsOf(frame, fields), legend };
  }, [frame, data.series, theme]);
  const onPaint = useCallback((milliseconds: number) => note(id, { drawn: true, paint_ms: Math.round(milliseconds * 10) / 10 }), [id]);
  drew(props, { drawn: true, gridRows: grid.rows.length, gridColumns: grid.columns.length });
  return <Cells title={title} what="lignes" width={width} height={height} rows={grid.rows} columns={grid.columns} legend={grid.legend} onPaint={onPaint} />;
}
