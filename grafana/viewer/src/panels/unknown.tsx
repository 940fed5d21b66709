// A panel of a type that this page does not draw says so.
import { Props, drew } from './parts';

export function UnknownPanel(props: Props) {
  drew(props, { drawn: false, error: 'this type of panel is not drawn here' });
  return (
    <div role="alert" className="ent-empty" style={{ height: props.height }}>
      Ce type de panneau n’est pas dessiné ici ; Grafana le montre.
    </div>
  );
}
