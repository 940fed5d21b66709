// CSV as a French spreadsheet opens it: semicolons, decimal comma, byte order mark. Values that stand for words (masked
// cells) are written as those words.
import { DataFrame, Field, FieldType, MappingType, PanelData, ValueMapping, getFieldDisplayName } from '@grafana/data';

const dayAndTime = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'short' });
const isKey = (name: string) => name.endsWith('_id');
const quoted = (text: string) => (/[";\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function wordFor(value: number, mappings: ValueMapping[]): string | undefined {
  for (const mapping of mappings) if (mapping.type === MappingType.ValueToText && mapping.options[value]) return mapping.options[value].text;
  return undefined;
}

function cell(field: Field, value: unknown, mappings: ValueMapping[]): string {
  if (value === null || value === undefined) return '';
  if (field.type === FieldType.time) return dayAndTime.format(value as number).replace(/ 00:00$/, '');
  if (field.type === FieldType.number) {
    const word = (value as number) < 0 ? wordFor(value as number, field.config.mappings?.length ? field.config.mappings : mappings) : undefined;
    return word ? quoted(word) : String(value).replace('.', ',');
  }
  // A spreadsheet runs a text that begins like a formula.
  return quoted(/^[=+\-@]/.test(String(value)) ? `'${value as string}` : String(value));
}

function heading(field: Field, frame: DataFrame, all: DataFrame[]): string {
  const labels = Object.entries(field.labels ?? {}).filter(([name]) => !isKey(name));
  return labels.length ? labels.map(([, value]) => value).join(' · ') : getFieldDisplayName(field, frame, all);
}

export function csv({ series }: Pick<PanelData, 'series'>, mappings: ValueMapping[] = []): string {
  const tables = series.map((frame) => {
    const fields = frame.fields.filter(({ name }) => !isKey(name));
    const rows = Array.from({ length: frame.length }, (_, row) => fields.map((field) => cell(field, field.values[row], mappings)).join(';'));
    return [fields.map((field) => quoted(heading(field, frame, series))).join(';'), ...rows].join('\r\n');
  });
  return '\uFEFF' + tables.join('\r\n\r\n');
}

export function download(title: string, data: PanelData, mappings?: ValueMapping[]): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([csv(data, mappings)], { type: 'text/csv;charset=utf-8' }));
  link.download = title.replace(/[^\p{L}\p{N}]+/gu, '-').toLowerCase() + '.csv';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
