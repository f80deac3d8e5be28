/** From a model version to an endpoint: asked for a name, and for trust if the version brings code; and sent. */
import type { VersionRecord } from '../api';
import type { IAction } from '../components/Button';
import { IQuestion, ask } from '../components/ask';
import type { IStudio } from '../frame/tokens';

/** Ask for the endpoint's name, deploy, and open the endpoint. */
export async function askToDeploy(
  studio: IStudio,
  version: VersionRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const questions: IQuestion[] = [
    {
      name: 'name',
      label: trans.__(
        'Name of the endpoint: letters, digits, “.”, “_” and “-”'
      ),
      value: version.model,
      pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]{0,127}',
      isRequired: true
    }
  ];
  if (needsTrust(version)) {
    questions.push({
      name: 'trust',
      kind: 'check',
      isRequired: true,
      label: version.has_code
        ? trans.__(
            'I trust the author: its files bring code of their own, and the endpoint runs it.'
          )
        : trans.__(
            'I trust the author: loading it runs code of these types: %1',
            version.untrusted_types.join(', ')
          ),
      help: trans.__(
        'The code has all rights of the Jupyter server. The audit log notes who allowed it.'
      )
    });
  }
  const answer = await ask({
    title: trans.__('Deploy %1 version %2', version.model, version.version),
    questions,
    accept: trans.__('Deploy')
  });
  const name = answer?.name.trim();
  if (!answer || !name) {
    return;
  }
  const isDeployed = await action.run(() =>
    client.deploy({
      model: version.model,
      version: version.version,
      name,
      trust: answer.trust === 'yes'
    })
  );
  if (isDeployed) {
    studio.open(`endpoint/${name}`);
  }
}

/** Whether loading a version runs code that its files bring or name. */
export function needsTrust(
  version: Pick<VersionRecord, 'has_code' | 'untrusted_types'>
): boolean {
  return version.has_code || version.untrusted_types.length > 0;
}
