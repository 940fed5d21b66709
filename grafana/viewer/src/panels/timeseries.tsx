// Grafana's time series chart, with its tooltip and with the annotations of the period behind it.
import { useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { DataFrame, FieldType, GrafanaTheme2 } from '@grafana/data';
import { LegendDisplayMode, SortOrder, TooltipDisplayMode, VizLegendOptions, VizTooltipOptions } from '@grafana/schema';
import { TimeSeries, TooltipPlugin2, UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import type uPlot from 'uplot';
import { longDate } from '../french';
import { Empty, Props, drew, hasData, nameOf, show } from './parts';

interface TimeSeriesOptions {
  legend?: VizLegendOptions;
  tooltip?: VizTooltipOptions;
}

interface Mark {
  start: number;
  end: number;
  text: string;
  color: string;
}

function marksOf(frames: DataFrame[] = []): Mark[] {
  return frames.flatMap((frame) => {
    const column = (name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];
    const [start, end, text, color] = ['time', 'timeEnd', 'text', 'color'].map(column);
    return Array.from(start, (time: number, row) => ({ start: time, end: (end[row] as number | null) ?? time, text: String(text[row] ?? ''), color: String(color[row] ?? 'gray') }));
  });
}

function paintMarks(plot: uPlot, marks: Mark[], theme: GrafanaTheme2): void {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.font = `${11 * devicePixelRatio}px ${theme.typography.fontFamily}`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  for (const { start, end, text, color } of marks) {
    const x = plot.valToPos(start, 'x', true);
    const wide = Math.max(plot.valToPos(end, 'x', true) - x, 2 * devicePixelRatio);
    ctx.fillStyle = theme.visualization.getColorByName(color);
    ctx.globalAlpha = end > start ? 0.14 : 0.9;
    ctx.fillRect(x, top, wide, height);
    ctx.globalAlpha = 1;
    ctx.fillRect(x, top, wide, 2 * devicePixelRatio);
    ctx.fillStyle = theme.colors.text.secondary;
    const room = Math.min(x + wide, left + width) - Math.max(x, left) - 8 * devicePixelRatio;
    if (ctx.measureText(text).width < room) ctx.fillText(text, Math.max(x, left) + 5 * devicePixelRatio, top + 5 * devicePixelRatio);
  }
  ctx.restore();
}

function Annotations({ config, marks, theme }: { config: UPlotConfigBuilder; marks: Mark[]; theme: GrafanaTheme2 }) {
  const latest = useRef(marks);
  const plot = useRef<uPlot>();
  latest.current = marks;
  useLayoutEffect(() => {
    config.addHook('init', (made: uPlot) => {
      plot.current = made;
    });
    config.addHook('drawClear', (drawn: uPlot) => paintMarks(drawn, latest.current, theme));
  }, [config, theme]);
  useEffect(() => plot.current?.redraw(false), [marks]);
  return null;
}

interface TooltipProps {
  props: Props<TimeSeriesOptions>;
  aligned: DataFrame;
  indexes: Array<number | null>;
  pointed: number | null;
  marks: Mark[];
}

function Tooltip({ props, aligned, indexes, pointed, marks }: TooltipProps) {
  const at = indexes.find((index) => index !== null && index !== undefined);
  if (at === undefined || at === null) return null;
  const time = aligned.fields[0].values[at] as number;
  const rows = aligned.fields
    .slice(1)
    .map((field, series) => ({ field, series: series + 1, value: field.values[indexes[series + 1] ?? at] as number | null }))
    .filter(({ value }) => value !== null && value !== undefined);
  if (props.options.tooltip?.sort === SortOrder.Descending) rows.sort((a, b) => b.value! - a.value!);
  return (
    <div className="ent-tip">
      <strong>{longDate(time)}</strong>
      {rows.map(({ field, series, value }) => (
        <div key={series} style={{ fontWeight: series === pointed ? 600 : 400 }}>
          <i style={{ background: field.display!(value).color }} />
          <span>{nameOf(field, props.data)}</span>
          <b>{show(field, value)}</b>
        </div>
      ))}
      {marks.filter(({ start, end }) => start <= time && time <= end).map(({ text }) => <em key={text}>{text}</em>)}
    </div>
  );
}

const isDrawn = ({ type }: { type: FieldType }) => type === FieldType.time || type === FieldType.number;
const isChart = ({ fields }: DataFrame) => fields.some(({ type }) => type === FieldType.time) && fields.some(({ type }) => type === FieldType.number);

export function TimeSeriesPanel(props: Props<TimeSeriesOptions>) {
  const theme = useTheme2();
  const { data, options, width, height } = props;
  const frames = useMemo(() => data.series.filter(isChart).map((frame) => ({ ...frame, fields: frame.fields.filter(isDrawn) })), [data.series]);
  // Grafana's chart appends two empty bars to the values it is given: the panel's data and its CSV must not get them.
  const lent = useMemo(() => frames.map((frame) => ({ ...frame, fields: frame.fields.map((field) => ({ ...field, values: [...field.values] })) })), [frames]);
  const marks = useMemo(() => marksOf(data.annotations), [data.annotations]);
  const drawn = frames.length > 0 && hasData(props);
  const series = frames.flatMap(({ fields }) => fields.slice(1));
  drew(props, { drawn, annotations: marks.length, lines: series.map((field) => ({ name: nameOf(field, data), values: [...field.values] })) });
  if (!drawn) return <Empty height={height} fieldConfig={props.fieldConfig} />;

  const spoken = series.map((field) => `${nameOf(field, data)} : dernière valeur ${show(field, field.values.filter((value) => value !== null).at(-1))}`).join(' ; ');
  const legend: VizLegendOptions = { calcs: [], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true, ...options.legend };
  return (
    <div role="img" aria-label={`${props.title}. ${spoken}`}>
      <TimeSeries frames={lent} structureRev={data.structureRev} timeRange={props.timeRange} timeZone={props.timeZone} width={width} height={height} legend={legend} options={options}>
        {(config: UPlotConfigBuilder, aligned: DataFrame) => (
          <>
            <Annotations config={config} marks={marks} theme={theme} />
            <TooltipPlugin2
              config={config}
              hoverMode={options.tooltip?.mode === TooltipDisplayMode.Multi ? 1 : 0}
              queryZoom={({ from, to }) => props.onChangeTimeRange({ from, to })}
              render={(_plot, indexes, pointed) => <Tooltip props={props} aligned={aligned} indexes={indexes} pointed={pointed} marks={marks} />}
            />
          </>
        )}
      </TimeSeries>
    </div>
  );
}
