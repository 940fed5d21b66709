// What was drawn, for the tests: window.__dash
export interface PanelReport {
  title: string;
  type: string;
  drawn: boolean;
  state?: string;
  error?: string;
  /** how long the last answer took, and when it came */
  ms?: number;
  answered?: number;
  [more: string]: unknown;
}

export interface Report {
  panels: Record<string, PanelReport>;
  errors: string[];
  ready: boolean;
  readyMs?: number;
  dashboard?: { uid: string; title: string };
  variables?: () => Record<string, { value: unknown; options?: number; error?: string }>;
}

declare global {
  interface Window {
    __dash: Report;
  }
}

export const report: Report = (window.__dash = { panels: {}, errors: [], ready: false });

export function note(id: number | string, seen: Partial<PanelReport>): void {
  report.panels[id] = { ...(report.panels[id] ?? { title: '', type: '', drawn: false }), ...seen };
}
