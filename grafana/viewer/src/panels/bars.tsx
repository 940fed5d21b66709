// A ranking: one bar for each row, with its label and value.
import { FieldType } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { Empty, Props, drew, hasData, linksOf, nameOf, show } from './parts';

export function BarChartPanel(props: Props) {
  const theme = useTheme2();
  const frame = props.data.series[0];
  const label = frame?.fields.find(({ type }) => type === FieldType.string);
  const number = frame?.fields.find(({ type }) => type === FieldType.number);
  const words: string[] = label?.values.map(String) ?? [];
  const values: Array<number | null> = number?.values ?? [];
  drew(props, { drawn: words.length > 0, bars: words.map((word, row) => [word, values[row]]) });
  if (!label || !number || !hasData(props)) return <Empty height={props.height} fieldConfig={props.fieldConfig} />;

  const most = number.config.max ?? Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
  const rowHeight = Math.max(22, Math.min(44, Math.floor(props.height / words.length)));
  const labelWidth = Math.min(props.width * 0.42, 24 + Math.max(...words.map(({ length }) => length)) * 7);
  return (
    <div style={{ height: props.height, overflowY: 'auto' }}>
      <ol className="ent-bars" aria-label={props.title}>
        {words.map((word, row) => {
          const value = values[row];
          const [link] = linksOf(number, row);
          const share = Math.max(0, Math.min(100, (100 * (value ?? 0)) / most));
          return (
            <li key={word} style={{ height: rowHeight }} title={`${word} : ${show(number, value)} (${nameOf(number, props.data)})`}>
              <span style={{ width: labelWidth }}>{link ? <a href={link.href}>{word}</a> : word}</span>
              <i style={{ background: theme.colors.background.secondary }}>
                <i style={{ width: `${share}%`, background: number.display!(value).color }} />
              </i>
              <b>{show(number, value)}</b>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
