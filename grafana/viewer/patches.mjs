// What is changed in the packages while they are bundled. Each change must find its text: the build stops if one did not.
import { readFileSync } from 'node:fs';

const spans = { second: 'seconde', minute: 'minute', hour: 'heure', day: 'jour', week: 'semaine', month: 'mois', year: 'année' };

const units = { hour: 'h', day: 'j', week: 'sem.', year: 'an', min: 'min' };

// 1 234,5 for what Grafana writes 1234.5 in every language.
const frenchFixed = `function toFixed(value, decimals) {
  const text = toFixedWithPoint(value, decimals);
  if (!/^-?\\d+(\\.\\d+)?$/.test(text)) return text;
  const [whole, part] = text.split('.');
  return whole.replace(/\\B(?=(\\d{3})+$)/g, '\\u202f') + (part === undefined ? '' : ',' + part);
}
function toFixedWithPoint(`;

const keptZones = /^(UTC|Etc\/|Europe\/|Indian\/(Reunion|Mayotte)|America\/(Cayenne|Martinique|Guadeloupe|Miquelon|Puerto_Rico)|Pacific\/(Noumea|Tahiti|Wallis|Tarawa)|Asia\/Dubai|Africa\/Nairobi)/;

function replace(from, to) {
  return (text, file) => {
    if (!text.includes(from)) throw new Error(`${file}: ${from} not found; the package changed, see patches.mjs`);
    return text.replaceAll(from, to);
  };
}

function europeanZones(text) {
  const data = JSON.parse(text);
  const zones = data.zones.filter((zone) => keptZones.test(zone));
  const links = data.links.filter((link) => link.split('|').every((zone) => keptZones.test(zone)));
  return JSON.stringify({ version: data.version, zones, links, countries: [] });
}

/** Files of the packages, by the end of their path, and the edits they get. */
export const patches = [
  { file: '@grafana/data/dist/esm/valueFormats/baseFormatters.mjs', edits: [replace('function toFixed(', frenchFixed)] },
  { file: '@grafana/data/dist/esm/valueFormats/arithmeticFormatters.mjs', edits: [replace('suffix: "%"', 'suffix: "\\u00a0%"')] },
  {
    file: '@grafana/data/dist/esm/valueFormats/dateTimeFormatters.mjs',
    // Without a plural: Grafana adds an s to its own words only.
    edits: Object.entries(units).map(([english, french]) => replace(`" ${english}"`, `"\\u00a0${french}"`)),
  },
  { file: '@grafana/scenes/dist/esm/variables/constants.js', edits: [replace('ALL_VARIABLE_TEXT = "All"', 'ALL_VARIABLE_TEXT = "Tout"')] },
  {
    file: '@grafana/data/dist/esm/datetime/rangeutil.mjs',
    edits: [
      ...Object.entries(spans).map(([english, french]) => replace(`display: "${english}" }`, `display: "${french}" }`)),
      replace('isLast ? "Last " : "Next "', 'isLast ? "Depuis " : "Pendant "'),
      replace('if (amount > 1) {', 'if (amount > 1 && unit !== "M") {'),
      replace('" to "', '" au "'),
      replace('describeTimeRangeAbbreviation = (', "describeTimeRangeAbbreviation = () => '', unusedAbbreviation = ("),
    ],
  },
  // Two controls that show a picture alone get a name for those who do not see it.
  {
    file: '@grafana/ui/dist/esm/components/PanelChrome/PanelDescription.mjs',
    edits: [replace('jsx(TitleItem, { className:', "jsx(TitleItem, { role: 'note', 'aria-label': 'Description', className:")],
  },
  { file: '@grafana/ui/dist/esm/components/RefreshPicker/RefreshPicker.mjs', edits: [replace('loadingText && isLoading ? loadingText : text,', "(loadingText && isLoading ? loadingText : text) || 'Actualiser',")] },
  { file: 'moment-timezone/data/packed/latest.json', edits: [europeanZones], loader: 'json' },
];

/** An esbuild plugin that applies them and, at the end, refuses a build in which one was not met. */
export const patched = {
  name: 'patched',
  setup(build) {
    const met = new Set();
    for (const { file, edits, loader } of patches) {
      const filter = new RegExp(file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + '$');
      build.onLoad({ filter }, ({ path }) => {
        met.add(file);
        return { contents: edits.reduce((text, edit) => edit(text, path), readFileSync(path, 'utf8')), loader: loader ?? 'js' };
      });
    }
    build.onEnd((result) => {
      const missed = patches.filter(({ file }) => !met.has(file)).map(({ file }) => ({ text: `${file} was not bundled: its patch is lost, see patches.mjs` }));
      if (!result.errors.length && missed.length) return { errors: missed };
    });
  },
};
