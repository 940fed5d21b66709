// Stands for the front end of grafana-clickhouse-datasource: variables in queries as that one fills them in. A bare $var
// with several values becomes 'a','b' without escaping; explicit formats pass through; $__conditionalAll(condition, $var)
// becomes 1=1 where the variable is at All or empty. There are no ad hoc filters.
import { CustomVariableModel, DataFrameJSON, DataQuery, DataQueryRequest, LegacyMetricFindQueryOptions, MetricFindValue, ScopedVars, dateTime, toDataFrame } from '@grafana/data';
import { DataSourceWithBackend, getBackendSrv, getTemplateSrv } from '@grafana/runtime';

export interface ClickHouseQuery extends DataQuery {
  rawSql?: string;
  /** 0: time series, 1: table */
  format?: number;
  meta?: { timezone?: string };
}

interface QueryAnswer {
  results: Record<string, { frames: DataFrameJSON[]; error?: string }>;
}

const conditional = '$__conditionalAll(';

/** The end of the call that begins at `start` (after its bracket) and where its last argument begins. */
function argumentsOf(sql: string, start: number): { comma: number; end: number } {
  let depth = 1;
  let comma = -1;
  let end = start;
  for (; end < sql.length && depth; end++) {
    if (sql[end] === '(') depth++;
    else if (sql[end] === ')') depth--;
    else if (sql[end] === ',' && depth === 1) comma = end;
  }
  if (comma < 0) throw new Error('$__conditionalAll needs a condition and a variable');
  return { comma, end };
}

function isAll(reference: string): boolean {
  const name = /\$\{?(\w+)/.exec(reference)?.[1];
  const variable = getTemplateSrv().getVariables().find((candidate) => candidate.name === name) as CustomVariableModel | undefined;
  return variable !== undefined && ['', '$__all'].includes(String(variable.current.value));
}

export function withoutConditions(sql: string): string {
  for (let at = sql.lastIndexOf(conditional); at >= 0; at = sql.lastIndexOf(conditional)) {
    const start = at + conditional.length;
    const { comma, end } = argumentsOf(sql, start);
    sql = sql.slice(0, at) + (isAll(sql.slice(comma + 1, end - 1)) ? '1=1' : sql.slice(start, comma)) + sql.slice(end);
  }
  return sql;
}

const quoted = (value: string | string[]): string => (Array.isArray(value) ? `'${value.join("','")}'` : value);
const filledIn = (sql: string, scoped?: ScopedVars): string => getTemplateSrv().replace(withoutConditions(sql), scoped, quoted);

export class ClickHouseSource extends DataSourceWithBackend<ClickHouseQuery> {
  applyTemplateVariables(query: ClickHouseQuery, scoped: ScopedVars): ClickHouseQuery {
    return { ...query, rawSql: filledIn(query.rawSql ?? '', scoped) };
  }

  query(request: DataQueryRequest<ClickHouseQuery>) {
    const timezone = request.timezone && request.timezone !== 'browser' ? request.timezone : Intl.DateTimeFormat().resolvedOptions().timeZone;
    return super.query({ ...request, targets: request.targets.map((target) => ({ ...target, meta: { ...target.meta, timezone } })) });
  }

  /** A variable's choices: the first column is the value, the second, if there is one, what is shown. */
  async metricFindQuery(query: string | ClickHouseQuery, options?: LegacyMetricFindQueryOptions): Promise<MetricFindValue[]> {
    const rawSql = filledIn(typeof query === 'string' ? query : (query.rawSql ?? ''), options?.scopedVars);
    const from = options?.range?.from ?? dateTime().subtract(6, 'h');
    const to = options?.range?.to ?? dateTime();
    const { results } = await getBackendSrv().post<QueryAnswer>('/api/ds/query', {
      from: String(from.valueOf()),
      to: String(to.valueOf()),
      queries: [{ refId: 'A', datasource: { uid: this.uid }, rawSql, format: 1, queryType: 'table', intervalMs: 1000 }],
    });
    const frame = toDataFrame(results.A?.frames[0] ?? { fields: [] });
    const values: unknown[] = frame.fields[0]?.values ?? [];
    const texts: unknown[] = frame.fields[1]?.values ?? values;
    return values.map((value, row) => ({ value: String(value), text: String(texts[row]) }));
  }
}
