// Bundles the page into the folder named on the command line: node build.mjs web (after npm ci)
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { patched } from './patches.mjs';

if (!process.argv[2]) throw new Error('usage: node build.mjs FOLDER');
const out = path.resolve(process.argv[2]);
const root = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const modules = path.join(root, 'node_modules');
const started = Date.now();

// Editors, maps and telemetry that no panel of ours opens are not even installed: package.json puts an empty package in their place.
const { overrides } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const alias = { 'react-router-dom-v5-compat': 'react-router-dom' };
const absent = new Set(Object.values(overrides).flatMap((packages) => Object.keys(packages)).filter((name) => !alias[name]));
const packageOf = (name) => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/');

const trimmed = {
  name: 'trimmed',
  setup(b) {
    b.onResolve({ filter: /^[@a-z]/ }, ({ path: name }) => (absent.has(packageOf(name)) ? { path: name, namespace: 'absent', sideEffects: false } : undefined));
    b.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
    // One moment: a locale or a clock set on its copy for import is unknown to the one for require.
    b.onResolve({ filter: /^moment$/ }, () => ({ path: realpathSync(path.join(modules, 'moment/moment.js')) }));
    // Of Grafana's languages only French is spoken here.
    b.onLoad({ filter: /@grafana\/scenes\/dist\/esm\/locales\/.*\.json\.js$/ }, ({ path: file }) => (file.includes('/fr-FR/') ? undefined : { contents: 'export default {};' }));
  },
};

rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [path.join(root, 'src/main.ts')],
  outdir: path.join(out, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  legalComments: 'none',
  logLevel: 'warning',
  nodePaths: [modules],
  mainFields: ['browser', 'module', 'main'],
  conditions: ['module'],
  alias,
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'window' },
  loader: { '.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'file', '.woff': 'file', '.ttf': 'file' },
  plugins: [patched, trimmed],
});

const files = Object.entries(metafile.outputs).map(([file, { entryPoint }]) => ({ path: path.resolve(file), url: '/assets/' + path.basename(file), entryPoint }));
let bytes = 0;
let packed = 0;
for (const file of files) {
  const content = readFileSync(file.path);
  const small = gzipSync(content, { level: 9 });
  bytes += content.length;
  packed += small.length;
  if (content.length > 1000) writeFileSync(file.path + '.gz', small);
}

cpSync(path.join(modules, '@grafana/ui/dist/public/img/icons'), path.join(out, 'public/build/img/icons'), { recursive: true });
// The package lacks icons that its own components show: others stand in for them, one as its mirror image.
const icons = path.join(out, 'public/build/img/icons/unicons');
const mirror = (svg) => svg.replace('<path ', '<path transform="matrix(-1 0 0 1 24 0)" ');
for (const [lacking, other, edit] of [
  ['angle-double-left', 'angle-double-right', mirror],
  ['sync-slash', 'times-circle', String],
  ['pause-circle', 'pause', String],
])
  writeFileSync(path.join(icons, `${lacking}.svg`), edit(readFileSync(path.join(icons, `${other}.svg`), 'utf8')));
// Grafana's style sheet asks for these four; the latin letters are enough for French.
for (const face of ['Regular', 'Medium', 'Italic', 'MediumItalic'])
  cpSync(path.join(modules, `inter-ui/web-latin/Inter-${face}-subset.woff2`), path.join(out, `public/fonts/inter/Inter-${face}.woff2`));
const styles = files.filter(({ url }) => url.endsWith('.css')).map(({ url }) => `<link rel="stylesheet" href="${url}">`);
const script = files.find(({ entryPoint }) => entryPoint?.endsWith('main.ts')).url;
mkdirSync(out, { recursive: true });
// Written last: make takes it for the sign that the build is whole.
writeFileSync(
  path.join(out, 'index.html'),
  `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ENT</title>
<link rel="icon" href="data:,">
${styles.join('\n')}
</head>
<body>
<div id="app"><p class="ent-loading" role="status">Chargement…</p></div>
<noscript>Cette page a besoin de JavaScript.</noscript>
<script type="module" src="${script}"></script>
</body>
</html>
`,
);
console.log(`page built in ${((Date.now() - started) / 1000).toFixed(1)} s: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB, ${(packed / 1e6).toFixed(1)} MB compressed`);
