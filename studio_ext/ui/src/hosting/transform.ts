/** From files to predictions: asked which version, which files and where to; and begun as a job. */
import type { VersionRecord } from '../api';
import type { IAction } from '../components/Button';
import { Answers, ask } from '../components/ask';
import type { IStudio } from '../frame/tokens';
import { startTransform } from './calls';

/** Ask, and begin; the name of the job, or null if there is none. A version that is given is filled in. */
export async function askToTransform(
  studio: IStudio,
  action: IAction,
  version?: VersionRecord
): Promise<string | null> {
  const answers = await askTransform(studio, version);
  let job: string | null = null;
  if (answers) {
    const { model, input, output, on_error } = answers;
    await action.run(async () => {
      const reply = await startTransform(studio.client, {
        model,
        version: answers.version ? Number(answers.version) : null,
        input,
        output,
        join_input: answers.join === 'yes',
        on_error: on_error as 'stop',
        trust: answers.trust === 'yes'
      });
      job = reply.job;
    });
  }
  return job;
}

function askTransform(
  { trans }: IStudio,
  version?: VersionRecord
): Promise<Answers | null> {
  return ask({
    title: trans.__('Transform files'),
    text: trans.__(
      'CSV, JSON Lines or Parquet: a file, a folder or a pattern on the server.'
    ),
    accept: trans.__('Transform'),
    questions: [
      {
        name: 'model',
        label: trans.__('Model'),
        value: version?.model,
        isRequired: true
      },
      {
        name: 'version',
        label: trans.__('Version'),
        value: version && String(version.version),
        pattern: '[0-9]*',
        help: trans.__('Empty is the newest approved one.')
      },
      {
        name: 'input',
        label: trans.__('Input'),
        placeholder: '/data/rows.parquet',
        isRequired: true
      },
      {
        name: 'output',
        label: trans.__('Folder of the outputs'),
        placeholder: '/data/predictions',
        isRequired: true
      },
      {
        name: 'join',
        label: trans.__('Write the columns of the input too'),
        kind: 'check',
        value: 'yes'
      },
      {
        name: 'on_error',
        label: trans.__('A row that cannot be predicted'),
        kind: 'choice',
        value: 'stop',
        choices: [
          { value: 'stop', label: trans.__('ends the transform') },
          {
            value: 'record',
            label: trans.__('is written down, and the others go on')
          }
        ]
      },
      {
        name: 'trust',
        label: trans.__('Run code that the version brings'),
        kind: 'check'
      }
    ]
  });
}
