// Grafana's table. On a phone the first column is followed by those that judge in words, then by the figures.
import { useMemo } from 'react';
import { DataFrame, Field, FieldConfig, FieldType, cacheFieldDisplayNames } from '@grafana/data';
import { TableCellHeight, TableSortByFieldState } from '@grafana/schema';
import { TableNG } from '@grafana/ui/unstable';
import { Grid, isGrid } from './grid';
import { Empty, Props, drew } from './parts';

interface TableOptions {
  showHeader?: boolean;
  cellHeight?: TableCellHeight;
  sortBy?: TableSortByFieldState[];
}

const isShown = ({ config }: Field<unknown>) => {
  const custom = (config as FieldConfig<{ hidden?: boolean; hideFrom?: { viz?: boolean } }>).custom;
  return !custom?.hidden && !custom?.hideFrom?.viz;
};
const rank = ({ config, type }: Field) => (config.mappings?.length ? 0 : type === FieldType.number ? 1 : 2);

function arranged(frame: DataFrame | undefined, narrow: boolean): DataFrame | undefined {
  if (!frame?.length) return undefined;
  const [first, ...others] = frame.fields.filter(isShown);
  const fields = [first, ...(narrow ? others.sort((a, b) => rank(a) - rank(b)) : others)];
  return { ...frame, fields };
}

export function TablePanel(props: Props<TableOptions>) {
  const [frame] = props.data.series;
  return isGrid(frame) ? <Grid props={props} frame={frame} /> : <List {...props} />;
}

function List(props: Props<TableOptions>) {
  const { data, options, width, height } = props;
  useMemo(() => cacheFieldDisplayNames(data.series), [data.series]);
  const frame = useMemo(() => arranged(data.series[0], width < 520), [data.series, width]);
  drew(props, { drawn: Boolean(frame), columns: frame?.fields.map(({ name, state }) => state?.displayName ?? name), cells: frame?.fields.map(({ values }) => [...values]) });
  if (!frame) return <Empty height={height} fieldConfig={props.fieldConfig} />;
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={options.showHeader === false}
      cellHeight={options.cellHeight}
      sortBy={options.sortBy}
      timeRange={props.timeRange}
      fieldConfig={props.fieldConfig}
      structureRev={data.structureRev}
      resizable
    />
  );
}
