// Which component draws which `type` of a dashboard's JSON, and the custom field options each knows.
import { FC } from 'react';
import { Field, FieldColorModeId, FieldType, PanelPlugin, PanelPluginMeta, PanelProps, SetFieldConfigOptionsArgs, identityOverrideProcessor } from '@grafana/data';
import { BarChartPanel } from './bars';
import { HeatMapPanel } from './heatmap';
import { StatusHistoryPanel } from './history';
import { StatPanel } from './stat';
import { TablePanel } from './table';
import { TextPanel } from './text';
import { TimeSeriesPanel } from './timeseries';
import { AbsentPanel, UnknownPanel } from './unknown';

type Defaults = Record<string, unknown>;

const hidden = { viz: false, legend: false, tooltip: false };
const graph: Defaults = {
  drawStyle: 'line', lineInterpolation: 'linear', barAlignment: 0, barWidthFactor: 0.6, barMaxWidth: undefined, lineWidth: 1, fillOpacity: 0, gradientMode: 'none', lineStyle: undefined,
  lineColor: undefined, fillColor: undefined, spanNulls: false, insertNulls: false, showPoints: 'auto', showValues: false, pointSize: 5, stacking: { mode: 'none', group: 'A' },
  fillBelowTo: undefined, transform: undefined, axisPlacement: 'auto', axisLabel: '', axisWidth: undefined, axisSoftMin: undefined, axisSoftMax: undefined, axisGridShow: undefined,
  axisCenteredZero: false, axisColorMode: 'text', axisBorderShow: false, scaleDistribution: { type: 'linear' }, thresholdsStyle: { mode: 'off' }, hideFrom: hidden,
};
const cells: Defaults = {
  align: 'auto', cellOptions: { type: 'auto' }, filterable: undefined, width: undefined, minWidth: undefined, inspect: false, hidden: false, hideFrom: undefined,
  wrapHeaderText: false, wrapText: undefined, footer: undefined, tooltip: undefined,
};
const blocks: Defaults = { lineWidth: 0, fillOpacity: 70, hideFrom: hidden, spanNulls: false };

const byThresholds = { color: { defaultValue: { mode: FieldColorModeId.Thresholds } } };

function plugin(component: unknown, custom: Defaults = {}, standardOptions: object = byThresholds): PanelPlugin {
  const fieldOptions: unknown = {
    standardOptions,
    useCustomConfig: (builder: { addCustomEditor: (editor: object) => void }) => {
      for (const [id, defaultValue] of Object.entries(custom)) {
        const shouldApply = ({ type }: Field) => id !== 'axisLabel' || (type !== FieldType.time && type !== FieldType.string);
        builder.addCustomEditor({ id, path: id, name: id, editor: () => null, override: () => null, process: identityOverrideProcessor, shouldApply, defaultValue });
      }
    },
  };
  return new PanelPlugin(component as FC<PanelProps>).useFieldConfig(fieldOptions as SetFieldConfigOptionsArgs);
}

const makers: Record<string, () => PanelPlugin> = {
  stat: () => plugin(StatPanel),
  table: () => plugin(TablePanel, cells),
  barchart: () => plugin(BarChartPanel, { ...graph, fillOpacity: 80 }, {}),
  timeseries: () => plugin(TimeSeriesPanel, graph, {}).setDataSupport({ annotations: true, alertStates: false }),
  'status-history': () => plugin(StatusHistoryPanel, blocks),
  heatmap: () => plugin(HeatMapPanel, { hideFrom: hidden }, {}),
  text: () => new PanelPlugin(TextPanel as unknown as FC<PanelProps>),
};
/** The type under which a panel is drawn that has no data source here. */
export const absentPanel = 'ent-absent';
makers[absentPanel] = () => plugin(AbsentPanel);
const made = new Map<string, PanelPlugin>();

export function panelPlugin(type: string): PanelPlugin {
  let found = made.get(type);
  if (!found) {
    found = (makers[type] ?? (() => plugin(UnknownPanel)))();
    found.meta = { id: type, name: type, info: { version: '', logos: {} }, skipDataQuery: type === 'text' || type === absentPanel } as unknown as PanelPluginMeta;
    made.set(type, found);
  }
  return found;
}
