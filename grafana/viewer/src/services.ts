// What Grafana's core hands to its own front-end packages: requests, data sources, templates, field options, panels.
import { Observable, catchError, from, map, of, startWith } from 'rxjs';
import {
  DataFrame, DataQueryRequest, DataSourceApi, DataSourceInstanceSettings, DataSourceRef, EventBusSrv, FieldColorModeId, FieldConfigPropertyItem, LoadingState, PanelData, PanelPlugin, ScopedVars,
  booleanOverrideProcessor, createTheme, dataLinksOverrideProcessor, displayNameOverrideProcessor, identityOverrideProcessor, locationUtil, numberOverrideProcessor, standardEditorsRegistry,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, thresholdsOverrideProcessor, toDataFrame, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';
import { BackendSrv, BackendSrvRequest, DataSourceSrv, TemplateSrv, config, setAppEvents, setBackendSrv, setDataSourceSrv, setEchoSrv, setPluginImportUtils, setRunRequest, setTemplateSrv } from '@grafana/runtime';
import { initializeLoggersRegistry, reloadDataSourceInstanceSettings } from '@grafana/runtime/unstable';
import { EmbeddedScene, sceneGraph } from '@grafana/scenes';
import { ClickHouseSource } from './datasource';
import { http } from './http';
import { report } from './report';
import { chosenTheme } from './theme';

declare global {
  interface Window {
    __grafanaSceneContext?: EmbeddedScene;
  }
}

// Grafana's monospaced face is not among its packages: the system's stands in.
export const theme = createTheme({ colors: { mode: chosenTheme() }, typography: { fontFamilyMonospace: 'ui-monospace, Menlo, Consolas, monospace' } });

let scene: EmbeddedScene | undefined;
/** Tells the services which dashboard is on the page: its variables and period fill in queries and links. */
export function setScene(shown: EmbeddedScene): void {
  scene = shown;
  window.__grafanaSceneContext = shown;
}

const sources = new Map<string, DataSourceApi>();
export const firstSource = (): string => [...sources.keys()][0] ?? '';
export const hasSource = (uid: string): boolean => sources.has(uid);
/** Whether there is a choice between readings. */
export const severalSources = (): boolean => sources.size > 1;

function source(reference?: DataSourceRef | string | null): DataSourceApi | undefined {
  const asked = typeof reference === 'string' ? reference : reference?.uid;
  if (!asked) return sources.get(firstSource());
  const uid = scene ? sceneGraph.interpolate(scene, asked) : asked;
  return sources.get(uid) ?? [...sources.values()].find(({ name }) => name === uid);
}

async function loadSources(): Promise<void> {
  const { data } = await http<Array<Pick<DataSourceInstanceSettings, 'uid' | 'name' | 'type'>>>('/api/datasources');
  for (const [at, found] of data.entries()) {
    const meta = { id: found.type, name: found.type, info: { logos: {} }, module: '' };
    // The number is the one of /api/frontend/settings: Grafana takes another number for another source.
    const settings = { ...found, id: at + 1, jsonData: {}, meta, readOnly: true, access: 'proxy' } as unknown as DataSourceInstanceSettings;
    const made = new ClickHouseSource(settings);
    Object.assign(made, {
      instanceSettings: settings,
      meta,
      annotations: {
        prepareAnnotation: (annotation: object) => annotation,
        prepareQuery: ({ target }: { target?: object }) => (target ? { ...target, refId: 'Anno' } : undefined),
      },
    });
    sources.set(found.uid, made as unknown as DataSourceApi);
  }
}

interface QueryError {
  message?: string;
  data?: { message?: string; results?: Record<string, { error?: string }> };
}
/** The words of an error, wherever Grafana's layers have put them. */
export function words(error: unknown): string {
  const { message, data } = (error ?? {}) as QueryError;
  const answered = Object.values(data?.results ?? {}).find((result) => result.error)?.error;
  return answered ?? data?.message ?? message ?? String(error);
}

interface QueryResponse {
  data?: unknown[];
  state?: LoadingState;
  error?: QueryError;
  errors?: QueryError[];
}
function runRequest(datasource: DataSourceApi, request: DataQueryRequest): Observable<PanelData> {
  const base = { timeRange: request.range, request, structureRev: 1, series: [] as DataFrame[] };
  const answer = datasource.query(request) as Promise<QueryResponse> | Observable<QueryResponse>;
  return (answer instanceof Promise ? from(answer) : answer).pipe(
    map((response): PanelData => {
      const errors = response.errors ?? (response.error ? [response.error] : []);
      const state = errors.length ? LoadingState.Error : (response.state ?? LoadingState.Done);
      return { ...base, state, series: (response.data ?? []).map((frame) => toDataFrame(frame)), annotations: [], errors, error: errors[0] };
    }),
    catchError((error: unknown) => of<PanelData>({ ...base, state: LoadingState.Error, error: { message: words(error) } })),
    startWith<PanelData>({ ...base, state: LoadingState.Loading }),
  );
}

const option = (id: string, process: unknown, defaultValue?: unknown, settings?: unknown): FieldConfigPropertyItem =>
  ({ id, path: id, name: id, process, defaultValue, settings, editor: () => null, override: () => null, shouldApply: () => true, getItemsCount: () => 0 }) as unknown as FieldConfigPropertyItem;

function registerFieldOptions(): void {
  standardFieldConfigEditorRegistry.setInit(() => [
    option('unit', unitOverrideProcessor),
    option('min', numberOverrideProcessor),
    option('max', numberOverrideProcessor),
    option('fieldMinMax', booleanOverrideProcessor),
    option('decimals', numberOverrideProcessor),
    option('displayName', displayNameOverrideProcessor, undefined, { expandTemplateVars: true }),
    option('color', identityOverrideProcessor, { mode: FieldColorModeId.PaletteClassic }),
    option('noValue', identityOverrideProcessor),
    option('links', dataLinksOverrideProcessor, []),
    option('actions', identityOverrideProcessor, []),
    option('mappings', valueMappingsOverrideProcessor, []),
    option('thresholds', thresholdsOverrideProcessor, { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }] }),
    option('filterable', booleanOverrideProcessor),
    option('description', identityOverrideProcessor),
  ]);
  standardEditorsRegistry.setInit(() => []);
  const transformers = new Map(Object.values(standardTransformers).map((transformer) => [transformer.id, transformer]));
  standardTransformersRegistry.setInit(() =>
    [...transformers.values()].map((transformer) => ({ id: transformer.id, name: transformer.name, transformation: () => Promise.resolve(transformer), editor: () => null, imageDark: '', imageLight: '' })),
  );
}

function registerBackend(): void {
  const ask = ({ url, method, data, headers }: BackendSrvRequest) => http(url, method, data, headers as Record<string, string>);
  const backend = {
    fetch: (request: BackendSrvRequest) => from(ask(request)),
    request: (request: BackendSrvRequest) => ask(request).then(({ data }) => data),
    datasourceRequest: ask,
    get: (url: string) => http(url).then(({ data }) => data),
    post: (url: string, data: unknown) => http(url, 'POST', data).then((answer) => answer.data),
    resolveCancelerIfExists: () => undefined,
  };
  setBackendSrv(backend as unknown as BackendSrv);
  setEchoSrv({ addEvent: () => undefined, flush: () => undefined, addBackend: () => undefined, onInteraction: () => () => undefined });
  setAppEvents(new EventBusSrv());
  setRunRequest(runRequest);
}

function registerTemplates(): void {
  const variables = () => scene?.state.$variables?.state.variables ?? [];
  const templates = {
    replace: (text?: string, scoped?: ScopedVars, format?: Parameters<TemplateSrv['replace']>[2]) => {
      const within = scoped?.__sceneObject?.value?.valueOf() ?? scene;
      return within ? sceneGraph.interpolate(within, text, scoped, format as Parameters<typeof sceneGraph.interpolate>[3]) : (text ?? '');
    },
    getVariables: () =>
      variables().map(({ state }) => {
        const { value, text } = state as { value?: unknown; text?: unknown }; // not getValue(), which spells All out
        return { name: state.name, type: state.type, current: { value, text } };
      }),
    containsTemplate: (text?: string) => /\$|\[\[/.test(text ?? ''),
    updateTimeRange: () => undefined,
  };
  setTemplateSrv(templates as unknown as TemplateSrv);
  locationUtil.initialize({
    config: { appSubUrl: '' } as Parameters<typeof locationUtil.initialize>[0]['config'],
    getVariablesUrlParams: () => ({}),
    getTimeRangeForUrl: () => (scene ? sceneGraph.getTimeRange(scene).state.value.raw : { from: 'now-6h', to: 'now' }),
  });
}

function registerSources(): void {
  const settings = (found?: DataSourceApi) => (found as unknown as { instanceSettings?: DataSourceInstanceSettings })?.instanceSettings;
  const service = {
    get: (reference?: DataSourceRef | string | null) => {
      const found = source(reference);
      return found ? Promise.resolve(found) : Promise.reject(new Error('source de données inconnue : ' + JSON.stringify(reference)));
    },
    getInstanceSettings: (reference?: DataSourceRef | string | null) => settings(source(reference)),
    getList: (filters?: { pluginId?: string; type?: string | string[] }) => {
      const wanted = filters?.pluginId ?? filters?.type;
      return [...sources.values()].map(settings).filter((found) => !wanted || [wanted].flat().includes(found?.type ?? ''));
    },
    reload: () => undefined,
    registerRuntimeDataSource: () => undefined,
  };
  setDataSourceSrv(service as unknown as DataSourceSrv);
}

/** Sets everything up; after it a scene can be made and drawn. */
export async function startServices(panelPlugin: (type: string) => PanelPlugin): Promise<void> {
  registerBackend();
  initializeLoggersRegistry();
  await Promise.all([reloadDataSourceInstanceSettings(), loadSources()]);
  config.theme2 = theme;
  config.panels = new Proxy({}, { get: (_, type: string) => ({ id: type, name: type, info: { logos: {} } }) });
  registerTemplates();
  registerSources();
  registerFieldOptions();
  setPluginImportUtils({ importPanelPlugin: (type: string) => Promise.resolve(panelPlugin(type)), getPanelPluginFromCache: panelPlugin });
  window.addEventListener('error', ({ message }) => report.errors.push(message));
  window.addEventListener('unhandledrejection', ({ reason }) => report.errors.push(words(reason)));
}
