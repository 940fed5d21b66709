// A figure, over the line of its series (sparkline) and with its change from the first to the last value where the panel
// asks for them; with a link where it has one.
import { VizOrientation, getFieldDisplayValues, FieldDisplay, ReduceDataOptions } from '@grafana/data';
import { PercentChangeColorMode } from '@grafana/schema';
import { BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode, DataLinksContextMenu, VizRepeater, VizRepeaterRenderValueProps, useTheme2 } from '@grafana/ui';
import { Empty, Props, drew, hasData, textOf, wordsForNothing } from './parts';

interface StatOptions {
  reduceOptions?: ReduceDataOptions;
  showPercentChange?: boolean;
  percentChangeColorMode?: PercentChangeColorMode;
  colorMode?: BigValueColorMode;
  graphMode?: BigValueGraphMode;
  textMode?: BigValueTextMode;
  justifyMode?: BigValueJustifyMode;
  text?: { valueSize?: number; titleSize?: number; percentSize?: number };
}

/** A row without its figure says what a panel without rows would. */
const inThisReading = (values: FieldDisplay[]): FieldDisplay[] => values.map((value) => ({ ...value, display: { ...value.display, text: wordsForNothing(value.display.text) } }));

/** Nothing to compare with is no change, rather than an infinite one; and no change is not shown, in red, as 0 %. */
function withRealChange(values: FieldDisplay[]): FieldDisplay[] {
  const isReal = (change?: number) => Number.isFinite(change) && change !== 0;
  return values.map((value) => (isReal(value.display.percentChange) ? value : { ...value, display: { ...value.display, percentChange: undefined } }));
}

export function StatPanel(props: Props<StatOptions>) {
  const theme = useTheme2();
  const { options, data, width, height } = props;
  const graph = options.graphMode ?? BigValueGraphMode.Area;
  const values = () =>
    inThisReading(withRealChange(
      getFieldDisplayValues({
        fieldConfig: props.fieldConfig,
        reduceOptions: { calcs: ['lastNotNull'], values: false, ...options.reduceOptions },
        replaceVariables: props.replaceVariables,
        theme,
        data: data.series,
        timeZone: props.timeZone,
        percentChange: options.showPercentChange,
        sparkline: graph !== BigValueGraphMode.None,
      }),
    ));
  drew(props, { drawn: hasData(props), values: hasData(props) ? values().map(({ display, sparkline }) => ({ title: display.title, text: textOf(display), change: display.percentChange, points: sparkline?.x ? sparkline.y.values.length : 0 })) : [] });
  if (!hasData(props)) return <Empty height={height} fieldConfig={props.fieldConfig} />;
  const render = ({ value: { display, sparkline, hasLinks, getLinks }, count, width: w, height: h }: VizRepeaterRenderValueProps<FieldDisplay>) => {
    const valueSize = Math.max(15, Math.min(40, h * 0.5, (w - 12) / (textOf(display).length * 0.62)));
    // A line needs times: rows of a table have none.
    const line = sparkline?.x ? sparkline : undefined;
    const figure = (
      <BigValue
        value={display}
        sparkline={line}
        count={count}
        colorMode={options.colorMode ?? BigValueColorMode.Value}
        graphMode={line ? graph : BigValueGraphMode.None}
        justifyMode={options.justifyMode ?? BigValueJustifyMode.Auto}
        textMode={options.textMode ?? BigValueTextMode.Auto}
        text={{ valueSize, percentSize: 14, ...options.text }}
        width={w}
        height={h}
        theme={theme}
        percentChangeColorMode={options.percentChangeColorMode}
      />
    );
    return hasLinks && getLinks ? <DataLinksContextMenu links={getLinks}>{() => figure}</DataLinksContextMenu> : figure;
  };
  return <VizRepeater getValues={values} renderValue={render} source={data} width={width} height={height} orientation={VizOrientation.Auto} itemSpacing={3} autoGrid renderCounter={props.renderCounter} />;
}
