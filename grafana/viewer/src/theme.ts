// Light or dark: what the address says, else what was chosen last, else what the system prefers.
export type Theme = 'light' | 'dark';

const isTheme = (value: string | null): value is Theme => value === 'light' || value === 'dark';

export function chosenTheme(): Theme {
  const asked = new URLSearchParams(location.search).get('theme');
  if (isTheme(asked)) localStorage.setItem('theme', asked);
  const kept = localStorage.getItem('theme');
  return isTheme(kept) ? kept : matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Keeps the choice and draws the page anew: Grafana's packages read the theme once. */
export function switchTheme(theme: Theme, extra: Record<string, string> = {}): void {
  localStorage.setItem('theme', theme);
  const query = new URLSearchParams(location.search);
  query.delete('theme');
  for (const [name, value] of Object.entries(extra)) query.set(name, value);
  if (String(query) === location.search.slice(1)) location.reload();
  else location.search = String(query);
}
