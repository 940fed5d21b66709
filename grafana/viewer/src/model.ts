// Classic dashboard JSON, as far as it is drawn here.
import { AnnotationQuery, DataSourceRef, DataTransformerConfig, FieldConfigSource, TimeOption } from '@grafana/data';
import { ClickHouseQuery } from './datasource';

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  transparent?: boolean;
  datasource?: DataSourceRef;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Array<ClickHouseQuery & { hide?: boolean }>;
  options?: Record<string, unknown> & { content?: string };
  fieldConfig?: FieldConfigSource;
  transformations?: DataTransformerConfig[];
  maxDataPoints?: number;
  interval?: string;
  /** a period of the panel's own, back from now, whatever the dashboard shows: 28d */
  timeFrom?: string;
}

export interface Variable {
  name: string;
  type: string;
  label?: string;
  description?: string;
  /** 0: shown, 1: without its label, 2: hidden */
  hide?: number;
  query?: string;
  datasource?: DataSourceRef;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
  regex?: string;
  sort?: number;
  /** 1: when the dashboard is loaded, 2: when the period changes */
  refresh?: number;
  current?: { value?: string | string[]; text?: string | string[] };
}

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  panels?: Panel[];
  templating?: { list?: Variable[] };
  annotations?: { list?: AnnotationQuery[] };
  links?: Array<{ type: string; includeVars?: boolean; keepTime?: boolean }>;
  time?: { from: string; to: string };
  timepicker?: { refresh_intervals?: string[]; quick_ranges?: TimeOption[] };
  timezone?: string;
  weekStart?: 'monday' | 'saturday' | 'sunday';
  refresh?: string | boolean;
}
