// Requests to the server of this page, in the shape that Grafana's packages expect of their back end.
export interface Answer<T> {
  data: T;
  status: number;
  statusText: string;
  ok: boolean;
  headers: Headers;
  redirected: boolean;
  type: ResponseType;
  url: string;
  config: { url: string };
}

/** Throws Grafana's FetchError (status, data) for an answer that is not 2xx. */
export async function http<T>(url: string, method = 'GET', data?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const path = url.startsWith('/') ? url : '/' + url;
  const response = await fetch(path, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: data === undefined ? undefined : JSON.stringify(data),
  });
  const body = (await response.json().catch(() => ({}))) as T;
  const { status, statusText, redirected, type } = response;
  if (!response.ok) throw { status, statusText, data: body, config: { url: path } };
  return { data: body, status, statusText, ok: true, headers: response.headers, redirected, type, url: path, config: { url: path } };
}
