// What the panels share: words and links of values, the empty panel, legends, the bubble at the pointer.
import { ReactNode } from 'react';
import { DisplayValue, Field, FieldColorModeId, GrafanaTheme2, LinkModel, MappingType, PanelData, PanelProps, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { Portal, useTheme2 } from '@grafana/ui';
import { PanelReport, note } from '../report';

export type Props<Options = Record<string, never>> = PanelProps<Options>;

export const hasData = ({ data }: { data: PanelData }): boolean => data.series.some(({ length }) => length > 0);
export const textOf = (value?: DisplayValue): string => (value ? formattedValueToString(value) : '');
export const show = (field: Field, value: unknown): string => (field.display ? textOf(field.display(value)) : String(value ?? ''));
export const nameOf = (field: Field, data: PanelData): string => getFieldDisplayName(field, data.series.find(({ fields }) => fields.includes(field)), data.series);
export const linksOf = (field: Field, row?: number): Array<LinkModel<Field>> => field.getLinks?.(row === undefined ? {} : { valueRowIndex: row }) ?? [];

/** Tells the tests what a panel drew. */
export function drew({ id, title, data }: { id: number; title: string; data: PanelData }, seen: Partial<PanelReport>): void {
  note(id, { title, rows: data.series.reduce((rows, frame) => rows + frame.length, 0), series: data.series.length, ...seen });
}

const isPublished = (): boolean => getTemplateSrv().replace('${lecture}') === 'public';

/** What a cell without a figure stands for. */
export const wordsForBlank = (): string => (isPublished() ? 'trop peu de personnes, ou aucune' : 'aucune donnée reçue');

const twoReadings = /^(.*) \(chiffres publiés : (.*)\)$/;

/** What nothing means in the reading that is shown; Grafana, which cannot tell them apart, says both. */
export function wordsForNothing(noValue: string): string {
  const [, exact, published] = twoReadings.exec(noValue) ?? [noValue, noValue, noValue];
  return isPublished() ? published : exact;
}

/** A panel without rows: what its `noValue` says, as in Grafana. */
export function Empty({ height, fieldConfig }: Pick<Props, 'height' | 'fieldConfig'>) {
  return (
    <div role="status" className="ent-empty" style={{ height }}>
      {wordsForNothing(fieldConfig.defaults.noValue ?? 'Aucune donnée')}
    </div>
  );
}

export interface LegendItem {
  label: string;
  color: string;
  hatched?: boolean;
  crossed?: boolean;
}

export function Legend({ items }: { items: LegendItem[] }) {
  const theme = useTheme2();
  return (
    <ul className="ent-legend">
      {items.map(({ label, color, hatched, crossed }) => {
        const border = hatched || color === 'transparent' ? `1px solid ${theme.colors.border.strong}` : undefined;
        const line = theme.colors.background.primary;
        const background = hatched
          ? `repeating-linear-gradient(135deg, ${color} 0 2px, transparent 2px 4px)`
          : crossed
            ? `linear-gradient(to bottom right, ${color} 44%, ${line} 44% 56%, ${color} 56%)`
            : color;
        return (
          <li key={label}>
            <span aria-hidden="true" style={{ background, border }} />
            {label}
          </li>
        );
      })}
    </ul>
  );
}

/** Whether a value has a word of its own. */
export const hasWord = ({ config }: Field, value: number): boolean =>
  config.mappings?.some((mapping) => mapping.type === MappingType.ValueToText && mapping.options[value] !== undefined) ?? false;

/** Thresholds and value mappings in words, from the field's configuration alone. */
export function scaleOf({ config }: Field, theme: GrafanaTheme2): LegendItem[] {
  const items: LegendItem[] = [];
  const unit = config.unit === 'percent' ? '\u00a0%' : '';
  const steps = config.thresholds?.steps ?? [];
  if (config.color?.mode === FieldColorModeId.Thresholds && steps.length > 1)
    steps.forEach(({ value, color }, at) => {
      const next = steps[at + 1]?.value;
      const label = at === 0 ? `moins de ${next}${unit}` : next === undefined ? `${value}${unit} et plus` : `${value} à ${next}${unit}`;
      items.push({ label, color: theme.visualization.getColorByName(color) });
    });
  for (const mapping of config.mappings ?? []) {
    if (mapping.type !== MappingType.ValueToText) continue;
    const inOrder = Object.entries(mapping.options).sort(([, a], [, b]) => (a.index ?? 0) - (b.index ?? 0));
    for (const [value, { text, color }] of inOrder) items.push({ label: text ?? value, color: theme.visualization.getColorByName(color ?? 'gray'), hatched: Number(value) < 0, crossed: Number(value) >= 0 });
  }
  return items;
}

const bubbleWidth_px = 250;

/** Beside a point of the screen; on the other side of it where there is no room. */
export function Bubble({ x, y, children }: { x: number; y: number; children: ReactNode }) {
  const theme = useTheme2();
  const left = x + 14 + bubbleWidth_px > innerWidth ? Math.max(4, x - bubbleWidth_px - 10) : x + 14;
  const below = y <= innerHeight - 150;
  const style = {
    left,
    top: below ? y + 14 : undefined,
    bottom: below ? undefined : innerHeight - y + 10,
    maxWidth: bubbleWidth_px,
    background: theme.colors.background.elevated,
    color: theme.colors.text.primary,
    border: `1px solid ${theme.colors.border.medium}`,
    boxShadow: theme.shadows.z3,
  };
  return (
    <Portal>
      <div className="ent-bubble" style={style}>
        {children}
      </div>
    </Portal>
  );
}
