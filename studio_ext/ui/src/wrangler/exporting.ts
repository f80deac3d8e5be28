/** Taking a recipe, or the rows that it gives, elsewhere: files, code, models, jobs. */
import { Notification } from '@jupyterlab/apputils';

import type * as api from '../api/types';
import { ask, formatCount, IMenuItem } from '../components';
import { IStudio } from '../frame/tokens';
import { runTask, submitRecipe } from './calls';
import type { IRecipe } from './document';

export interface IExport {
  studio: IStudio;
  session: string;
  recipe: IRecipe;
  /** The part whose rows are taken. */
  part: api.PartReport;
}

/** What can be taken along; `run` does it and shows what fails. */
export function exportMenu(
  given: IExport,
  run: (work: () => Promise<void>) => void
): IMenuItem[] {
  const { trans } = given.studio;
  const form = (label: string, name: Form, beginsGroup = false): IMenuItem => ({
    label,
    beginsGroup,
    onSelect: () => run(() => translate(given, name))
  });
  return [
    {
      label: trans.__('Rows to a file …'),
      onSelect: () => run(() => writeRows(given))
    },
    {
      label: trans.__('Run as a job …'),
      onSelect: () => run(() => submit(given))
    },
    {
      label: trans.__('Schedule …'),
      onSelect: () => run(() => schedule(given))
    },
    form(trans.__('Notebook …'), 'notebook', true),
    form(trans.__('Python with pandas …'), 'pandas'),
    form(trans.__('Python with polars …'), 'polars'),
    form(trans.__('Python with SQL …'), 'sql'),
    form(trans.__('Python with Atelier …'), 'atelier'),
    form(trans.__('scikit-learn pipeline …'), 'sklearn', true),
    form(trans.__('ONNX model …'), 'onnx')
  ];
}

type Form =
  'notebook' | 'pandas' | 'polars' | 'sql' | 'atelier' | 'sklearn' | 'onnx';

const ENDINGS: { [form: string]: string } = {
  notebook: '.ipynb',
  sklearn: '.skops',
  onnx: '.onnx'
};

async function writeRows(given: IExport): Promise<void> {
  const { studio, session, recipe, part } = given;
  const { client, trans } = studio;
  const answers = await ask({
    title: trans.__('Write all rows to a file'),
    accept: trans.__('Write'),
    questions: [
      pathQuestion(given, `${recipe.name}-out.parquet`),
      {
        name: 'partition',
        label: trans.__('A folder for each value of (column)'),
        kind: 'choice',
        choices: [
          { value: '', label: trans.__('one file') },
          ...part.columns.map(({ name }) => ({ value: name, label: name }))
        ]
      }
    ]
  });
  if (!answers?.path) {
    return;
  }
  const reply = await runTask<{ path: string; rows: number }>(
    client,
    session,
    'exports',
    {
      node: part.id,
      path: answers.path,
      partition_by: answers.partition ? [answers.partition] : []
    }
  );
  Notification.success(
    trans.__('%1 rows written to %2', formatCount(reply.rows), answers.path)
  );
}

async function translate(given: IExport, form: Form): Promise<void> {
  const { studio, session, recipe } = given;
  const { client, trans } = studio;
  const ending = ENDINGS[form] ?? '.py';
  const answers = await ask({
    title: trans.__('Write the recipe to a file'),
    accept: trans.__('Write'),
    questions: [
      {
        name: 'path',
        label: trans.__('Path, from the folder of the recipe'),
        isRequired: true,
        value: `${recipe.name}${ending}`
      }
    ]
  });
  if (!answers?.path) {
    return;
  }
  await runTask(client, session, 'translations', { form, path: answers.path });
  Notification.success(trans.__('Written to %1', answers.path));
}

async function submit(given: IExport): Promise<void> {
  const { studio, session, recipe, part } = given;
  const { client, trans } = studio;
  const answers = await ask({
    title: trans.__('Run the recipe as a job'),
    text: trans.__(
      'The job learns where that has not happened, and writes all rows.'
    ),
    accept: trans.__('Submit'),
    questions: [
      pathQuestion(given, `${recipe.name}-out.parquet`),
      nameQuestion(given, trans.__('Name of the job'))
    ]
  });
  if (answers?.path) {
    const reply = await submitRecipe(client, session, {
      document: recipe,
      node: part.id,
      path: answers.path,
      name: answers.name
    });
    told(given, trans.__('Submitted'), `job/${reply.name}`);
  }
}

async function schedule(given: IExport): Promise<void> {
  const { studio, session, recipe, part } = given;
  const { client, trans } = studio;
  const answers = await ask({
    title: trans.__('Run the recipe again and again'),
    accept: trans.__('Schedule'),
    questions: [
      pathQuestion(given, `${recipe.name}-out.parquet`),
      nameQuestion(given, trans.__('Name of the schedule')),
      {
        name: 'cron',
        label: trans.__('When'),
        isRequired: true,
        value: '0 6 * * *',
        help: trans.__(
          'A cron expression: minute, hour, day, month, day of the week'
        )
      }
    ]
  });
  if (answers?.path) {
    const reply = await submitRecipe(client, session, {
      document: recipe,
      node: part.id,
      path: answers.path,
      name: answers.name,
      cron: answers.cron
    });
    told(given, trans.__('Scheduled as %1', reply.name), 'jobs');
  }
}

function pathQuestion(given: IExport, value: string) {
  const { trans } = given.studio;
  return {
    name: 'path',
    label: trans.__('Path, from the folder of the recipe'),
    isRequired: true,
    value,
    help: trans.__(
      'The end of the name tells the format: .parquet, .csv, .jsonl, .arrow, .xlsx'
    )
  };
}

function nameQuestion(given: IExport, label: string) {
  return {
    name: 'name',
    label,
    isRequired: true,
    value: given.recipe.name.replace(/[^A-Za-z0-9._-]+/g, '-'),
    pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]{0,90}'
  };
}

function told(given: IExport, text: string, path: string): void {
  const { studio } = given;
  Notification.success(text, {
    actions: [
      {
        label: studio.trans.__('Open'),
        callback: () => void studio.open(path)
      }
    ]
  });
}
