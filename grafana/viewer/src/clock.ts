// The server's clock. A demonstration runs on a simulated one, and then "now" means its now: in relative periods,
// and on the page, which says so.
import { http } from './http';

export interface Clock {
  /** RFC 3339 */
  now: string;
  simulated: boolean;
}

const day = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', day: '2-digit', month: '2-digit' });
const time = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', hour: '2-digit', minute: '2-digit' });
const readEvery_ms = 10_000;

const systemNow = Date.now.bind(Date);
let ahead_ms = 0;
let simulated = false;

/** What to say about the clock; nothing where it is the real one. */
export const notice = (): string => (simulated ? `Démonstration : horloge simulée, il est ${day.format(Date.now())} ${time.format(Date.now())}` : '');

async function read(): Promise<void> {
  const asked = systemNow();
  const { data } = await http<Clock>('/api/clock');
  const answered = systemNow();
  simulated = data.simulated;
  ahead_ms = data.simulated ? Date.parse(data.now) - (asked + answered) / 2 : 0;
}

/** Reads the clock and, where it is simulated, sets the page's by it and follows it. */
export async function followClock(): Promise<void> {
  await read();
  if (!simulated) return;
  // Grafana's packages read the time in several ways; all of them end here.
  Date.now = () => systemNow() + ahead_ms;
  // A server that is away says so in the panels; the clock goes on from the last answer.
  setInterval(() => void read().catch(() => undefined), readEvery_ms);
}
