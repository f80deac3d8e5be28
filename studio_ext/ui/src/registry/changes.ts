/** Changes of a version or a model that ask first: aliases, promotion, stage, licence, deletion. */
import type { ModelGroup, VersionDetail, VersionRecord } from '../api';
import type { IAction } from '../components/Button';
import { ask, confirmLoss } from '../components/ask';
import type { IStudio } from '../frame/tokens';
import {
  changeVersion,
  createModel,
  deleteModel,
  deleteVersion,
  getModel,
  promote,
  setAlias
} from './calls';

const ALIAS = '[A-Za-z0-9_\\-]{1,255}';

/** Ask for an alias and give it to the version; one that another version has is moved only after a question. */
export async function askForAlias(
  studio: IStudio,
  version: VersionRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const answer = await ask({
    title: trans.__('Give version %1 an alias', version.version),
    questions: [
      {
        name: 'alias',
        label: trans.__('Alias, such as champion or challenger'),
        pattern: ALIAS,
        isRequired: true
      }
    ],
    accept: trans.__('Give')
  });
  if (answer) {
    const { alias } = answer;
    await action.run(async () => {
      if (await mayMove(studio, version, alias)) {
        await setAlias(client, version, alias);
      }
    });
  }
}

/** Ask why, and give the version an alias together with the reason. */
export async function askToPromote(
  studio: IStudio,
  version: VersionRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const answer = await ask({
    title: trans.__('Promote %1 version %2', version.model, version.version),
    questions: [
      {
        name: 'alias',
        label: trans.__('To'),
        value: 'champion',
        pattern: ALIAS,
        isRequired: true
      },
      {
        name: 'reason',
        kind: 'text',
        label: trans.__('Why'),
        placeholder: trans.__('Such as: AUC 0.93 against 0.91'),
        isRequired: true
      }
    ],
    accept: trans.__('Promote')
  });
  if (answer) {
    const { alias, reason } = answer;
    await action.run(async () => {
      if (await mayMove(studio, version, alias)) {
        await promote(client, version, { alias, reason });
      }
    });
  }
}

/** Whether an alias is free, or the user wants to take it from the version that has it. */
async function mayMove(
  studio: IStudio,
  version: VersionRecord,
  alias: string
): Promise<boolean> {
  const { client, trans } = studio;
  const { aliases } = await getModel(client, version.model);
  const holder = aliases[alias];
  return (
    holder === undefined ||
    holder === version.version ||
    (await confirmLoss({
      title: trans.__('Move the alias %1?', alias),
      text: trans.__(
        'Version %1 of %2 is %3 now and loses it; version %4 gets it. Whoever loads the model by this alias gets version %4 from then on.',
        holder,
        version.model,
        alias,
        version.version
      ),
      keep: trans.__('Leave it with version %1', holder),
      lose: trans.__('Move it to version %1', version.version)
    }))
  );
}

export async function askForStage(
  studio: IStudio,
  version: VersionRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const stages: VersionRecord['stage'][] = [
    'None',
    'Staging',
    'Production',
    'Archived'
  ];
  const answer = await ask({
    title: trans.__('Stage of %1 version %2', version.model, version.version),
    questions: [
      {
        name: 'stage',
        kind: 'choice',
        label: trans.__('Stage'),
        value: version.stage,
        choices: stages.map(stage => ({ value: stage, label: stage }))
      },
      {
        name: 'archive',
        kind: 'check',
        label: trans.__('Archive the versions that are in this stage now'),
        help: trans.__('For Staging and Production only.')
      }
    ],
    accept: trans.__('Set')
  });
  if (answer) {
    await action.run(() =>
      changeVersion(client, version, {
        stage: answer.stage as VersionRecord['stage'],
        archive_existing: answer.archive === 'yes'
      })
    );
  }
}

export async function askForLicence(
  studio: IStudio,
  version: VersionRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const answer = await ask({
    title: trans.__('Licence of %1 version %2', version.model, version.version),
    questions: [
      {
        name: 'licence',
        label: trans.__('Licence, such as Apache-2.0'),
        value: version.licence
      }
    ],
    accept: trans.__('Save')
  });
  if (answer) {
    const { licence } = answer;
    await action.run(() => changeVersion(client, version, { licence }));
  }
}

/** Ask, naming what is lost, and delete; true if it is gone. */
export async function askToDeleteVersion(
  studio: IStudio,
  detail: VersionDetail,
  action: IAction
): Promise<boolean> {
  const { client, trans } = studio;
  const { version, endpoints } = detail;
  const names = endpoints.map(({ name }) => name).join(', ');
  const isSure = await confirmLoss({
    title: trans.__('Delete %1 version %2?', version.model, version.version),
    text: names
      ? trans.__(
          'It is served by %1. Delete these endpoints first; the server will refuse otherwise.',
          names
        )
      : trans.__(
          'Its %1 files, its card and its decision are lost for good, and its number is not given again. Its run stays.',
          version.files.length
        ),
    keep: trans.__('Keep it'),
    lose: trans.__('Delete')
  });
  return isSure && (await action.run(() => deleteVersion(client, version)));
}

/** Ask, naming what is lost, and delete the model; true if it is gone. */
export async function askToDeleteModel(
  studio: IStudio,
  model: ModelGroup,
  action: IAction
): Promise<boolean> {
  const { client, trans } = studio;
  const isSure = await confirmLoss({
    title: trans.__('Delete the model %1?', model.name),
    text: trans.__(
      'All %1 versions with their files, cards and decisions are lost for good; their runs stay. A version that an endpoint serves prevents it.',
      model.version_count
    ),
    keep: trans.__('Keep it'),
    lose: trans.__('Delete')
  });
  return isSure && (await action.run(() => deleteModel(client, model.name)));
}

/** Ask for a name, make a model without versions, and open it. */
export async function askToCreateModel(
  studio: IStudio,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const answer = await ask({
    title: trans.__('Make a model'),
    text: trans.__(
      'A name that versions are registered under; kt.registry.register makes one by itself.'
    ),
    questions: [
      {
        name: 'name',
        label: trans.__('Name'),
        pattern: '[^\\/:]{1,256}',
        isRequired: true
      },
      {
        name: 'description',
        kind: 'text',
        label: trans.__('Description, in Markdown (optional)')
      }
    ],
    accept: trans.__('Make')
  });
  if (answer) {
    const { name, description } = answer;
    const isMade = await action.run(() =>
      createModel(client, { name, description })
    );
    if (isMade) {
      studio.open(`model/${encodeURIComponent(name)}`);
    }
  }
}
