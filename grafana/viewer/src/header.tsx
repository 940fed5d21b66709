// The head of a dashboard page: title, how far the figures are complete, the simulated clock, navigation, theme, print.
import { useEffect, useState } from 'react';
import { EmbeddedScene, SceneVariable } from '@grafana/scenes';
import { IconButton } from '@grafana/ui';
import { notice } from './clock';
import { Dashboard } from './model';
import { chosenTheme, switchTheme } from './theme';

export interface Entry {
  uid: string;
  title: string;
}

/** The number before a title orders Grafana's list; nobody need read it. */
export const shortTitle = (title: string): string => title.replace(/^\d+ /, '');

function CompleteUntil({ variable }: { variable: SceneVariable }) {
  const { value } = variable.useState() as { value?: unknown };
  if (!value || String(value) === '') return null;
  return (
    <span className="ent-complete" title="Les chiffres sont complets jusqu’à cet instant ; après, ils peuvent encore changer.">
      Complet jusqu’à <b>{String(value)}</b>
    </span>
  );
}

function SimulatedClock() {
  const [said, setSaid] = useState(notice());
  useEffect(() => {
    const timer = setInterval(() => setSaid(notice()), 1000);
    return () => clearInterval(timer);
  }, []);
  return said ? (
    <span className="ent-notice" role="note">
      {said}
    </span>
  ) : null;
}

/** The address of another dashboard, with the variables and the period of this one if its links say so. */
function addressOf(uid: string, search: string, dashboard?: Dashboard): string {
  const link = dashboard?.links?.find(({ type }) => type === 'dashboards');
  const query = new URLSearchParams(search);
  for (const name of [...query.keys()]) {
    const variable = name.startsWith('var-') && link?.includeVars !== false;
    const period = ['from', 'to', 'timezone'].includes(name) && link?.keepTime !== false;
    if (!variable && !period) query.delete(name);
  }
  return `/d/${uid}${query.size ? `?${query}` : ''}`;
}

function wholeBoard(search: string): string {
  const query = new URLSearchParams(search);
  query.delete('viewPanel');
  return `${location.pathname}?${query}`;
}

/** Paper is white: a dark page is drawn anew in the light theme first. */
function printPage(): void {
  if (chosenTheme() === 'light') window.print();
  else switchTheme('light', { imprimer: '1' });
}

interface HeaderProps {
  list: Entry[];
  uid: string;
  search: string;
  dashboard?: Dashboard;
  scene?: EmbeddedScene;
}

export function Header({ list, uid, search, dashboard, scene }: HeaderProps) {
  const light = chosenTheme() === 'light';
  const complete = scene?.state.$variables?.state.variables.find(({ state }) => state.name === 'complet');
  return (
    <header className="ent-head">
      <div className="ent-title">
        <a className="ent-brand" href="/" aria-label="Liste des tableaux de bord">
          ENT
        </a>
        <h1>{shortTitle(dashboard?.title ?? '…')}</h1>
        {complete && <CompleteUntil variable={complete} />}
        <SimulatedClock />
      </div>
      <nav aria-label="Tableaux de bord">
        {list.map((entry) => (
          <a key={entry.uid} href={addressOf(entry.uid, search, dashboard)} aria-current={entry.uid === uid ? 'page' : undefined}>
            {shortTitle(entry.title)}
          </a>
        ))}
      </nav>
      <div className="ent-acts">
        {new URLSearchParams(search).has('viewPanel') && (
          <a className="ent-back" href={wholeBoard(search)}>
            Tout le tableau
          </a>
        )}
        <IconButton name="adjust-circle" size="lg" tooltip={light ? 'Thème sombre' : 'Thème clair'} onClick={() => switchTheme(light ? 'dark' : 'light')} />
        <IconButton name="file-alt" size="lg" tooltip="Imprimer" onClick={printPage} />
      </div>
    </header>
  );
}
