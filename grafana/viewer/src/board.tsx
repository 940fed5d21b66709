// The layout: the 24 columns of the JSON as a CSS grid (Grafana's own uses transforms, which neither fold on a phone nor print).
import { CSSProperties, useEffect, useState } from 'react';
import { SceneComponentProps, SceneObjectBase, SceneObjectState, VizPanel } from '@grafana/scenes';
import { Panel } from './model';

export interface Place {
  panel: Panel;
  body: VizPanel;
}

const narrowScreen = () => matchMedia('(max-width: 768px)');
const row_px = 38;

/** On a phone panels lie one below the other, two figures side by side, each with the height its kind needs. */
function phoneHeight({ type, gridPos, options }: Panel): number {
  switch (type) {
    case 'stat':
      return 132;
    case 'text':
      return 24 + String(options?.content ?? '').split('\n').reduce((height, line) => height + Math.ceil(line.length / 40) * 22, 0);
    case 'timeseries':
      return 300;
    case 'heatmap':
      return 420;
    case 'barchart':
      return Math.max(170, gridPos.h * 35);
    default:
      return Math.min(560, gridPos.h * row_px);
  }
}

function cellStyle(panel: Panel, phone: boolean): CSSProperties {
  const { x, y, w, h } = panel.gridPos;
  if (!phone) return { gridColumn: `${x + 1} / span ${w}`, gridRow: `${y + 1} / span ${h}` };
  return { gridColumn: panel.type === 'stat' ? 'span 12' : 'span 24', height: phoneHeight(panel) };
}

interface BoardState extends SceneObjectState {
  places: Place[];
  panels: VizPanel[];
}

export class Board extends SceneObjectBase<BoardState> {
  static Component = ({ model }: SceneComponentProps<Board>) => {
    const { places } = model.useState();
    const [phone, setPhone] = useState(narrowScreen().matches);
    useEffect(() => {
      const screen = narrowScreen();
      const follow = () => setPhone(screen.matches);
      screen.addEventListener('change', follow);
      return () => screen.removeEventListener('change', follow);
    }, []);
    const inReadingOrder = [...places].sort((a, b) => a.panel.gridPos.y - b.panel.gridPos.y || a.panel.gridPos.x - b.panel.gridPos.x);
    return (
      <div className="ent-board">
        {inReadingOrder.map(({ panel, body }) => (
          <div key={panel.id} style={cellStyle(panel, phone)} data-type={panel.type}>
            <body.Component model={body} />
          </div>
        ))}
      </div>
    );
  };
}
