// A file of data that its package publishes without types.
declare module '*/grafana-scenes.json.js' {
  const texts: Record<string, string | object>;
  export default texts;
}
declare module '*.css';
