// The list of dashboards: plain DOM, no library.
import { followClock, notice } from './clock';
import { http } from './http';
import { report } from './report';

interface Entry {
  title: string;
  description: string;
  url: string;
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, content: Partial<HTMLElementTagNameMap[K]>, ...children: Node[]): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), content);
  made.append(...children);
  return made;
}

async function dashboards(): Promise<Node> {
  try {
    const [{ data }] = await Promise.all([http<Entry[]>('/api/search'), followClock()]);
    const entries = data.map(({ url, title, description }) =>
      element('li', {}, element('a', { href: url }, element('strong', { textContent: title.replace(/^\d+ /, '') }), element('span', { textContent: description }))),
    );
    return element('ul', {}, ...entries);
  } catch {
    return element('p', { role: 'alert', textContent: 'La liste des tableaux de bord n’a pas pu être chargée.' });
  }
}

export async function start(): Promise<void> {
  document.title = 'Tableaux de bord de l’ENT';
  const list = await dashboards();
  document.getElementById('app')!.replaceChildren(
    element(
      'main',
      { className: 'ent-home' },
      element('h1', { textContent: 'Tableaux de bord de l’ENT' }),
      element('p', { textContent: 'Usage de l’espace numérique de travail des écoles. Chiffres agrégés, sans donnée nominative.' }),
      ...(notice() ? [element('p', { className: 'ent-notice', textContent: notice() })] : []),
      list,
    ),
  );
  report.ready = true;
  // While the reader chooses, the packages of the next page are fetched.
  setTimeout(() => void import('./dashboard'), 200);
}
