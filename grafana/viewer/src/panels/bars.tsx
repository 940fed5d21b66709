// A ranking: for each row its label and a bar for each number, one below the other or, stacked, one after the other.
import { Field, FieldType } from '@grafana/data';
import { StackingMode, VizLegendOptions } from '@grafana/schema';
import { useTheme2 } from '@grafana/ui';
import { longDate } from '../french';
import { Empty, Legend, Props, drew, hasData, linksOf, nameOf, show } from './parts';

interface BarChartOptions {
  xField?: string;
  stacking?: StackingMode;
  legend?: VizLegendOptions;
}

type Value = number | null;

const isShown = ({ config }: Field) => !(config.custom as { hideFrom?: { viz?: boolean } } | undefined)?.hideFrom?.viz;
const sum = (values: Value[]): number => values.reduce<number>((total, value) => total + (value ?? 0), 0);

function labelOf(fields: Field[], asked?: string): Field | undefined {
  const kinds = [FieldType.string, FieldType.time];
  return fields.find(({ name }) => name === asked) ?? kinds.map((kind) => fields.find(({ type, name }) => type === kind && !name.endsWith('_id'))).find(Boolean);
}

export function BarChartPanel(props: Props<BarChartOptions>) {
  const theme = useTheme2();
  const { options, height, width, data } = props;
  const fields = data.series[0]?.fields ?? [];
  const label = labelOf(fields, options.xField);
  const numbers = fields.filter((field) => field.type === FieldType.number && field !== label && isShown(field));
  const words: string[] = label?.values.map((value: unknown) => (label.type === FieldType.time ? longDate(value as number) : String(value))) ?? [];
  const rows = words.map((_, row) => numbers.map(({ values }) => values[row] as Value));
  drew(props, { drawn: words.length > 0, bars: words.map((word, row) => [word, ...rows[row]]) });
  if (!label || !numbers.length || !hasData(props)) return <Empty height={height} fieldConfig={props.fieldConfig} />;

  const stacked = options.stacking === StackingMode.Normal || options.stacking === StackingMode.Percent;
  const highest = Math.max(...rows.map((row) => (stacked ? sum(row) : Math.max(...row.map((value) => value ?? 0)))), Number.MIN_VALUE);
  const most = numbers[0].config.max ?? highest;
  const several = numbers.length > 1;
  const legend = several && options.legend?.showLegend !== false;
  const lines = stacked ? 1 : numbers.length;
  const rowHeight = Math.max(22 * lines, Math.min(44 * lines, Math.floor((height - (legend ? 30 : 0)) / words.length)));
  const labelWidth = Math.min(width * 0.42, 24 + Math.max(...words.map(({ length }) => length)) * 7);
  const percentOf = (value: Value, row: Value[]) => Math.max(0, Math.min(100, (100 * (value ?? 0)) / (options.stacking === StackingMode.Percent ? sum(row) || 1 : most)));
  const bar = (at: number, row: Value[]) => <i key={at} style={{ width: `${percentOf(row[at], row)}%`, background: numbers[at].display!(row[at]).color }} />;
  const spoken = (row: Value[]) => numbers.map((field, at) => `${show(field, row[at])} (${nameOf(field, data)})`).join(' ; ');
  return (
    <div style={{ height, overflowY: 'auto' }}>
      <ol className="ent-bars" aria-label={props.title}>
        {words.map((word, at) => {
          const row = rows[at];
          const [link] = numbers.flatMap((field) => linksOf(field, at));
          return (
            <li key={at} style={{ height: rowHeight }} title={`${word} : ${spoken(row)}`}>
              <span style={{ width: labelWidth }}>{link ? <a href={link.href}>{word}</a> : word}</span>
              <div>
                {stacked ? (
                  <div>
                    <i style={{ background: theme.colors.background.secondary }}>{numbers.map((_, number) => bar(number, row))}</i>
                    <b>{options.stacking === StackingMode.Percent ? '' : show(numbers[0], sum(row))}</b>
                  </div>
                ) : (
                  numbers.map((field, number) => (
                    <div key={number}>
                      <i style={{ background: theme.colors.background.secondary }}>{bar(number, row)}</i>
                      <b>{show(field, row[number])}</b>
                    </div>
                  ))
                )}
              </div>
            </li>
          );
        })}
      </ol>
      {legend && <Legend items={numbers.map((field) => ({ label: nameOf(field, data), color: field.display!(0).color ?? 'gray' }))} />}
    </div>
  );
}
