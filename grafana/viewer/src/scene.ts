// Classic dashboard JSON to a scene: variables, period, annotations, queries and transformations are Grafana's.
import { AnnotationQuery, LoadingState, PanelData, VariableHide } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import {
  ConstantVariable, CustomVariable, DataSourceVariable, EmbeddedScene, QueryVariable, SceneControlsSpacer, SceneDataLayerSet, SceneDataTransformer, SceneQueryRunner, SceneRefreshPicker, SceneTimePicker, SceneTimeRange,
  SceneVariable, SceneVariableSet, TextBoxVariable, VariableValueSelectors, VizPanel, VizPanelMenu, dataLayers, sceneGraph,
} from '@grafana/scenes';
import { Board, Place } from './board';
import { download } from './csv';
import { MarkSwitches } from './marks';
import { Dashboard, Panel, Variable } from './model';
import { note, report } from './report';
import { absentPanel } from './panels';
import { firstSource, hasSource, severalSources, words } from './services';

function makeVariable(variable: Variable): SceneVariable {
  const { name, label, description, type, multi = false, includeAll = false } = variable;
  const hide = (variable.hide ?? VariableHide.dontHide) as VariableHide;
  const current = [variable.current?.value ?? (includeAll ? '$__all' : [])].flat();
  const all = current.includes('$__all');
  const value = multi ? (all ? ['$__all'] : current) : (current[0] ?? '');
  const text = all ? (multi ? ['Tout'] : 'Tout') : (variable.current?.text ?? value);
  const shared = { name, label, description, hide, skipUrlSync: hide === VariableHide.hideVariable, isMulti: multi, includeAll, allValue: variable.allValue, value, text };
  switch (type) {
    case 'query':
      return new QueryVariable({ ...shared, query: variable.query ?? '', datasource: variable.datasource, regex: variable.regex ?? '', sort: variable.sort ?? 0, refresh: variable.refresh ?? 1 });
    case 'custom':
      return new CustomVariable({ ...shared, query: variable.query ?? '' });
    case 'constant':
      return new ConstantVariable({ ...shared, value: variable.query ?? '' });
    case 'textbox':
      return new TextBoxVariable({ ...shared, value: String(value), type: 'textbox' });
    case 'datasource':
      return new DataSourceVariable({ ...shared, hide: severalSources() ? hide : VariableHide.hideVariable, pluginId: variable.query ?? '', regex: variable.regex ?? '', value: firstSource(), text: '' });
    default:
      throw new Error(`variable ${name} : le type ${type} n’est pas dessiné ici`);
  }
}

const finished = (data: PanelData) => data.state !== LoadingState.Loading && data.state !== LoadingState.NotStarted;

function reportOn(panel: Panel, runner: SceneQueryRunner): void {
  let asked = 0;
  runner.subscribeToState(({ data }) => {
    if (!data) return;
    if (!finished(data)) {
      asked = performance.now();
      return;
    }
    const error = data.errors?.[0] ?? data.error;
    note(panel.id, { state: data.state, ms: Math.round(performance.now() - asked), answered: performance.now(), error: error && words(error) });
  });
}

function menuOf(panel: Panel, body: () => VizPanel): VizPanelMenu {
  return new VizPanelMenu({
    items: [
      { text: 'Agrandir', iconClassName: 'eye', onClick: () => locationService.partial({ viewPanel: panel.id }) },
      {
        text: 'Télécharger en CSV',
        iconClassName: 'download-alt',
        onClick: () => {
          const { data } = sceneGraph.getData(body()).state;
          if (data) download(sceneGraph.interpolate(body(), panel.title), data, panel.fieldConfig?.defaults.mappings);
        },
      },
    ],
  });
}

/** A panel of a source that the page does not have (Prometheus) says so in its place. */
const isHere = ({ datasource }: Panel): boolean => !datasource?.uid || datasource.uid.startsWith('$') || hasSource(datasource.uid);

function makePanel(panel: Panel, zone: string): VizPanel {
  const here = isHere(panel);
  const queries = (here ? panel.targets ?? [] : []).filter(({ hide }) => !hide).map((target) => ({ ...target, datasource: target.datasource ?? panel.datasource }));
  const runner = queries.length
    ? new SceneQueryRunner({ queries, datasource: panel.datasource ?? queries[0].datasource, maxDataPoints: panel.maxDataPoints, minInterval: panel.interval, dataLayerFilter: { panelId: panel.id } })
    : undefined;
  note(panel.id, { title: panel.title ?? '', type: panel.type, drawn: false });
  const body: VizPanel = new VizPanel({
    key: `panel-${panel.id}`,
    title: panel.title ?? '',
    description: panel.description,
    pluginId: here ? panel.type : absentPanel,
    options: panel.options ?? {},
    fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    displayMode: panel.transparent ? 'transparent' : 'default',
    hoverHeader: !panel.title,
    $timeRange: panel.timeFrom ? new SceneTimeRange({ from: `now-${panel.timeFrom}`, to: 'now', timeZone: zone }) : undefined,
    $data: runner && new SceneDataTransformer({ transformations: panel.transformations ?? [], $data: runner }),
    menu: panel.title && here ? menuOf(panel, () => body) : undefined,
  });
  if (runner) reportOn(panel, runner);
  return body;
}

function annotationLayers(list: AnnotationQuery[]): dataLayers.AnnotationsDataLayer[] {
  return list
    .filter(({ target }) => target)
    .map((query) => {
      const { name, enable, hide } = query;
      return new dataLayers.AnnotationsDataLayer({ key: 'annotation-' + name, name, isEnabled: enable !== false, isHidden: hide === true, query: { ...query, enable: true } });
    });
}

/** The scene of a dashboard, or of one of its panels alone, drawn large. */
export function makeScene(dashboard: Dashboard, only?: string): EmbeddedScene {
  report.panels = {};
  report.ready = false;
  const height = Math.max(14, Math.floor((innerHeight - 190) / 38));
  const zone = dashboard.timezone ?? 'browser';
  const panels = (dashboard.panels ?? []).filter(({ id }) => !only || String(id) === only);
  const places: Place[] = panels.map((panel) => ({ panel: only ? { ...panel, gridPos: { x: 0, y: 0, w: 24, h: height } } : panel, body: makePanel(panel, zone) }));
  const layers = annotationLayers(dashboard.annotations?.list ?? []);
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: dashboard.time?.from ?? 'now-6h', to: dashboard.time?.to ?? 'now', timeZone: zone, weekStart: dashboard.weekStart ?? 'monday' }),
    $variables: new SceneVariableSet({ variables: (dashboard.templating?.list ?? []).map(makeVariable) }),
    $data: layers.length ? new SceneDataLayerSet({ layers }) : undefined,
    controls: [
      new VariableValueSelectors({}),
      // A layer is held by the set; the switches only refer to it.
      new MarkSwitches({ layers: layers.map((layer) => layer.getRef()) }),
      new SceneControlsSpacer(),
      new SceneTimePicker({ isOnCanvas: true, quickRanges: dashboard.timepicker?.quick_ranges }),
      new SceneRefreshPicker({ refresh: typeof dashboard.refresh === 'string' ? dashboard.refresh : '', intervals: dashboard.timepicker?.refresh_intervals, isOnCanvas: true }),
    ],
    body: new Board({ places, panels: places.map(({ body }) => body) }),
  });
}
