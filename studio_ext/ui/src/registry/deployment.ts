/** From a model version to an endpoint: asked for a name, and sent. */
import { InputDialog } from '@jupyterlab/apputils';

import type { VersionRecord } from '../api';
import type { IAction } from '../components/Button';
import type { IStudio } from '../frame/tokens';

/** Ask for the endpoint's name, deploy, and open the endpoint. */
export async function askToDeploy(
  studio: IStudio,
  version: VersionRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const answer = await InputDialog.getText({
    title: trans.__('Deploy %1 version %2', version.model, version.version),
    label: trans.__('Name of the endpoint: letters, digits, “.”, “_” and “-”'),
    text: version.model,
    pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]{0,127}',
    required: true,
    okLabel: trans.__('Deploy')
  });
  const name = (answer.value ?? '').trim();
  if (!answer.button.accept || !name) {
    return;
  }
  const isDeployed = await action.run(() =>
    client.deploy({ model: version.model, version: version.version, name })
  );
  if (isDeployed) {
    studio.open(`endpoint/${name}`);
  }
}
