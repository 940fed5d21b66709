// Entry. The list of dashboards is a few kilobytes of plain DOM; Grafana's packages are loaded only for a dashboard.
import './page.css';
import { chosenTheme } from './theme';

declare global {
  interface Window {
    __grafana_public_path__: string;
    public_cdn_path: string;
    grafanaBootData: unknown;
  }
}

const theme = chosenTheme();
document.documentElement.dataset.theme = theme;

// What a Grafana server writes into its page, and its packages read while they load.
window.__grafana_public_path__ = '/public/';
window.public_cdn_path = '';
window.grafanaBootData = {
  settings: { buildInfo: { version: '13.2.2', env: 'production' }, featureToggles: {}, datasources: {}, panels: {}, appSubUrl: '', appUrl: location.origin + '/', timePicker: {} },
  user: { id: 1, login: 'lecture', orgId: 1, orgRole: 'Viewer', timezone: 'Europe/Paris', weekStart: 'monday', locale: 'fr-FR', language: 'fr-FR', lightTheme: theme === 'light' },
  navTree: [],
};

const page = location.pathname.startsWith('/d/') ? import('./dashboard') : import('./home');
void page.then(({ start }) => start());
