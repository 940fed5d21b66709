// A panel of a type that this page does not draw says so.
import { Props, drew } from './parts';

/** A panel whose data source is not among the page's. */
export function AbsentPanel(props: Props) {
  drew(props, { drawn: true, absent: true });
  return (
    <div role="status" className="ent-empty" style={{ height: props.height }}>
      Pas ici : cette page ne lit pas Prometheus, Grafana le montre.
    </div>
  );
}

export function UnknownPanel(props: Props) {
  drew(props, { drawn: false, error: 'this type of panel is not drawn here' });
  return (
    <div role="alert" className="ent-empty" style={{ height: props.height }}>
      Ce type de panneau n’est pas dessiné ici ; Grafana le montre.
    </div>
  );
}
