// French in Grafana's own controls, dates and numbers. Grafana publishes French texts for its scenes package; those of
// its ui package that this page shows are in texts.json.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import moment from 'moment';
import 'moment/locale/fr';
import { setWeekStart, systemDateFormats } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import scenes from '../node_modules/@grafana/scenes/dist/esm/locales/fr-FR/grafana-scenes.json.js';
import texts from './texts.json';

type Tree = { [key: string]: string | Tree };

function nested(flat: Record<string, string>): Tree {
  const root: Tree = {};
  for (const [path, text] of Object.entries(flat)) {
    const keys = path.split('.');
    let at = root;
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Tree;
    at[keys.at(-1)!] = text;
  }
  return root;
}

export async function speakFrench(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'fr-FR',
    supportedLngs: ['fr-FR', 'en-US'],
    fallbackLng: 'en-US',
    resources: { 'fr-FR': { page: scenes } },
    ns: ['page'],
    defaultNS: 'page',
    returnEmptyString: false,
    interpolation: { escapeValue: false },
  });
  i18next.addResourceBundle('fr-FR', 'page', nested(texts), true, true);
  await initPluginTranslations('page');

  moment.locale('fr');
  // setWeekStart would make this locale itself, in English.
  moment.defineLocale('fr-weekStart', { parentLocale: 'fr', week: { dow: 1, doy: 4 } });
  setWeekStart('monday');
  systemDateFormats.update({
    fullDate: 'DD/MM/YYYY HH:mm',
    interval: { millisecond: 'HH:mm:ss.SSS', second: 'HH:mm:ss', minute: 'HH:mm', hour: 'DD/MM HH:mm', day: 'D MMM', month: 'MMM YYYY', year: 'YYYY' },
    useBrowserLocale: false,
  });
  // Grafana asks for numbers in the browser's language; this page is French in every browser.
  const native = Number.prototype.toLocaleString;
  Number.prototype.toLocaleString = function (this: number, locales?: Intl.LocalesArgument, options?: Intl.NumberFormatOptions) {
    return native.call(this, locales ?? 'fr-FR', options);
  } as typeof native;
}

const zone = 'Europe/Paris';
const longDay = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, weekday: 'long', day: 'numeric', month: 'long' });
const shortDay = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, day: 'numeric', month: 'short' });
const weekday = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short' });
const clock = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, hour: '2-digit', minute: '2-digit' });

/** "lundi 16 novembre", and the time of day unless it is midnight. */
export function longDate(time: number): string {
  const hour = clock.format(time);
  return longDay.format(time) + (hour === '00:00' ? '' : `, ${hour.replace(':', ' h ').replace(/ 00$/, '')}`);
}
export const shortDate = (time: number): string => shortDay.format(time);
export const isMonday = (time: number): boolean => weekday.format(time) === 'Mon';
