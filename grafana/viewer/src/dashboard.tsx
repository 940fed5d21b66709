// A dashboard page: the header and the scene that the address names.
import 'uplot/dist/uPlot.min.css';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'react-router-dom';
import { ThemeContext } from '@grafana/data';
import { LocationServiceProvider, locationService } from '@grafana/runtime';
import { EmbeddedScene, UrlSyncContextProvider } from '@grafana/scenes';
import { GlobalStyles, ModalRoot, ModalsProvider, PortalContainer } from '@grafana/ui';
import { followClock } from './clock';
import { speakFrench } from './french';
import { Entry, Header, shortTitle } from './header';
import { http } from './http';
import { Dashboard } from './model';
import { panelPlugin } from './panels';
import { report } from './report';
import { makeScene } from './scene';
import { setScene, startServices, theme, words } from './services';

interface Shown {
  key: string;
  dashboard: Dashboard;
  scene: EmbeddedScene;
}

function reportVariables(scene: EmbeddedScene): void {
  report.variables = () => {
    const variables = scene.state.$variables?.state.variables ?? [];
    return Object.fromEntries(
      variables.map((variable) => {
        const { options, error } = variable.state as { options?: unknown[]; error?: unknown };
        return [variable.state.name, { value: variable.getValue(), options: options?.length, error: error ? words(error) : undefined }];
      }),
    );
  };
}

/** Says when every panel is drawn, and prints then if the address asks for it. */
function watchPanels(): () => void {
  const timer = setInterval(() => {
    const panels = Object.values(report.panels);
    if (!panels.length || !panels.every(({ drawn, error, state, type }) => drawn || error || state === 'Done' || type === 'text')) return;
    clearInterval(timer);
    report.readyMs = Math.round(performance.now());
    setTimeout(() => {
      report.ready = true;
      if (new URLSearchParams(location.search).has('imprimer')) window.print();
    }, 600); // charts are drawn in the frames after their data
  }, 50);
  return () => clearInterval(timer);
}

function useDashboard(uid: string, only?: string): { shown?: Shown; failure?: string } {
  const key = `${uid}/${only ?? ''}`;
  const [shown, setShown] = useState<Shown>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    let wanted = true;
    let unwatch = () => undefined as void;
    http<{ dashboard: Dashboard }>('/api/dashboards/uid/' + encodeURIComponent(uid)).then(
      ({ data: { dashboard } }) => {
        if (!wanted) return;
        const scene = makeScene(dashboard, only);
        setScene(scene);
        document.title = `${shortTitle(dashboard.title)} · ENT`;
        report.dashboard = { uid, title: dashboard.title };
        reportVariables(scene);
        setShown({ key, dashboard, scene });
        setFailure(undefined);
        unwatch = watchPanels();
      },
      (error: { status?: number }) => {
        setFailure(error.status === 404 ? 'Ce tableau de bord n’existe pas.' : 'Le tableau de bord n’a pas pu être chargé.');
        report.ready = true;
      },
    );
    return () => {
      wanted = false;
      unwatch();
    };
  }, [uid, only, key]);
  return { shown, failure };
}

interface Address {
  pathname: string;
  search: string;
}

function Page({ list }: { list: Entry[] }) {
  const [{ pathname, search }, setAddress] = useState<Address>(locationService.getLocation());
  useEffect(() => locationService.getHistory().listen((next: Address) => setAddress({ pathname: next.pathname, search: next.search })), []);
  const uid = pathname.split('/')[2] ?? '';
  const only = new URLSearchParams(search).get('viewPanel') ?? undefined;
  const { shown, failure } = useDashboard(uid, only);
  const navigator = locationService.getHistory() as unknown as Parameters<typeof Router>[0]['navigator'];
  return (
    <Router navigator={navigator} location={{ pathname, search }}>
      <a className="ent-skip" href="#contenu">
        Aller au contenu
      </a>
      <Header list={list} uid={uid} search={search} dashboard={shown?.dashboard} scene={shown?.scene} />
      <main id="contenu" tabIndex={-1}>
        {failure ? (
          <p role="alert" className="ent-failure">
            {failure} <a href="/">Liste des tableaux de bord</a>
          </p>
        ) : (
          shown && (
            <UrlSyncContextProvider key={shown.key} scene={shown.scene} updateUrlOnInit={false}>
              <shown.scene.Component model={shown.scene} />
            </UrlSyncContextProvider>
          )
        )}
      </main>
    </Router>
  );
}

/** Links to dashboards change the page without loading it anew. */
function keepLinksInPage(): void {
  document.addEventListener('click', (event) => {
    const link = (event.target as HTMLElement).closest('a');
    const plain = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!link || !plain || link.target === '_blank' || link.origin !== location.origin || !link.pathname.startsWith('/d/') || link.hash) return;
    event.preventDefault();
    locationService.push(link.pathname + link.search);
    scrollTo(0, 0);
  });
}

export async function start(): Promise<void> {
  const app = document.getElementById('app')!;
  try {
    await Promise.all([speakFrench(), followClock()]);
    const [, list] = await Promise.all([startServices(panelPlugin), http<Entry[]>('/api/search')]);
    keepLinksInPage();
    createRoot(app).render(
      <LocationServiceProvider service={locationService}>
        <ThemeContext.Provider value={theme}>
          <ModalsProvider>
            <GlobalStyles />
            <Page list={list.data} />
            <PortalContainer />
            <ModalRoot />
          </ModalsProvider>
        </ThemeContext.Provider>
      </LocationServiceProvider>,
    );
  } catch (error) {
    report.errors.push(error instanceof Error ? (error.stack ?? error.message) : words(error));
    app.textContent = 'La page n’a pas pu être chargée : ' + words(error);
  }
}
