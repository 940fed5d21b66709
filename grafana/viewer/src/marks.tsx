// A switch for each annotation of a dashboard, unless its JSON hides it.
import { SceneComponentProps, SceneObjectBase, SceneObjectRef, SceneObjectState, dataLayers } from '@grafana/scenes';
import { InlineSwitch } from '@grafana/ui';

type Layer = dataLayers.AnnotationsDataLayer;

function MarkSwitch({ layer }: { layer: Layer }) {
  const { name, isEnabled, isHidden, key } = layer.useState();
  if (isHidden) return null;
  return <InlineSwitch id={`marks-${key}`} label={name} showLabel value={isEnabled} onChange={({ currentTarget }) => layer.setState({ isEnabled: currentTarget.checked })} />;
}

interface MarkSwitchesState extends SceneObjectState {
  layers: Array<SceneObjectRef<Layer>>;
}

export class MarkSwitches extends SceneObjectBase<MarkSwitchesState> {
  static Component = ({ model }: SceneComponentProps<MarkSwitches>) => (
    <>
      {model.useState().layers.map((layer) => (
        <MarkSwitch key={layer.resolve().state.key} layer={layer.resolve()} />
      ))}
    </>
  );
}
