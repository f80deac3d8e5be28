/** The form “Run as job” as texts that were typed; what is wrong with them, and the request that they make. */
import type {
  EntryParameter,
  SubmissionForm,
  SubmissionRequest,
  SubmissionScheduleRequest
} from '../../api';

/** A line with a name and a value: a further parameter, or an input. */
export interface IPair {
  name: string;
  value: string;
}

/** What is typed into the form. */
export interface IStartDraft {
  name: string;
  withFolder: boolean;
  /** Texts by the names of the parameters that the file tells. */
  params: { [name: string]: string };
  further: IPair[];
  inputs: IPair[];
  experiment: string;
  cpus: string;
  memory: string;
  maxRuntime: string;
  isSpot: boolean;
  maxWait: string;
  retries: string;
  priority: string;
  when: 'now' | 'cron' | 'every';
  scheduleName: string;
  cron: string;
  every: string;
  timeZone: string;
  missed: SubmissionScheduleRequest['missed'];
  overlap: SubmissionScheduleRequest['overlap'];
}

/** What can be wrong with a text. */
export type Problem =
  | 'missing'
  | 'name'
  | 'number'
  | 'integer'
  | 'json'
  | 'duration'
  | 'size'
  | 'processors'
  | 'tries'
  | 'priority'
  | 'twice';

/** What is wrong, by field; parameters as `params.<name>`, lines as `further.<index>` and `inputs.<index>`. */
export type Problems = { [field: string]: Problem };

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const SCHEDULE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const PARAMETER = /^[A-Za-z_][A-Za-z0-9_.-]{0,249}$/;
const CHANNEL = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const DURATION = /^(\s*\d+(\.\d+)?\s*(d|h|min|m|s|ms))+\s*$/;
const SIZE = /^\d+(\.\d+)?\s*([KMGT]i?B|B)?$/;

/** The form as it opens. */
export function newDraft(form: SubmissionForm): IStartDraft {
  return {
    name: '',
    withFolder: false,
    params: {},
    further: [],
    inputs: [],
    experiment: '',
    cpus: '',
    memory: '',
    maxRuntime: '',
    isSpot: false,
    maxWait: '',
    retries: '0',
    priority: '0',
    when: 'now',
    scheduleName: form.suggested_name.slice(0, 100),
    cron: '0 3 * * *',
    every: '6h',
    timeZone: form.time_zone,
    missed: 'once',
    overlap: 'allow'
  };
}

/** A JSON value as it is typed; nothing for none. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What is typed for a parameter, or its default. */
export function paramText(
  draft: IStartDraft,
  { name, default: value }: EntryParameter
): string {
  return draft.params[name] ?? textOf(value);
}

/** The value that a text is for a parameter; a problem if it is none. */
export function valueOf(
  text: string,
  type: string
): { value: unknown } | { problem: Problem } {
  const trimmed = text.trim();
  const number = trimmed === '' ? NaN : Number(trimmed);
  switch (type) {
    case 'int':
      return Number.isInteger(number)
        ? { value: number }
        : { problem: 'integer' };
    case 'float':
      return Number.isFinite(number)
        ? { value: number }
        : { problem: 'number' };
    case 'bool':
      return { value: trimmed === 'true' };
    case 'json':
      try {
        return { value: JSON.parse(trimmed) as unknown };
      } catch {
        return { problem: 'json' };
      }
    default:
      return { value: text };
  }
}

/** The value of a further parameter: JSON where it is such, else the text itself. */
export function looseValue(text: string): unknown {
  const parsed = valueOf(text, 'json');
  return 'value' in parsed ? parsed.value : text;
}

/** What is wrong with the form; empty if nothing is. */
export function problemsOf(
  draft: IStartDraft,
  parameters: readonly EntryParameter[]
): Problems {
  const problems: Problems = {};
  const note = (field: string, isWrong: boolean, problem: Problem) => {
    if (isWrong && !problems[field]) {
      problems[field] = problem;
    }
  };
  for (const parameter of parameters) {
    const text = paramText(draft, parameter);
    const field = `params.${parameter.name}`;
    note(field, parameter.is_required && text === '', 'missing');
    const given = text !== '' && valueOf(text, parameter.type);
    if (given && 'problem' in given) {
      note(field, true, given.problem);
    }
  }
  const known = new Set(parameters.map(({ name }) => name));
  draft.further.forEach(({ name }, index) => {
    note(`further.${index}`, !PARAMETER.test(name), 'name');
    note(`further.${index}`, known.has(name), 'twice');
    known.add(name);
  });
  const channels = new Set<string>();
  draft.inputs.forEach(({ name, value }, index) => {
    note(`inputs.${index}`, !CHANNEL.test(name), 'name');
    note(`inputs.${index}`, channels.has(name), 'twice');
    note(`inputs.${index}`, value.trim() === '', 'missing');
    channels.add(name);
  });
  const isNow = draft.when === 'now';
  note('name', isNow && draft.name !== '' && !NAME.test(draft.name), 'name');
  note(
    'cpus',
    draft.cpus !== '' && !isCount(draft.cpus, 1, 4096),
    'processors'
  );
  note('memory', draft.memory !== '' && !SIZE.test(draft.memory), 'size');
  note('max_runtime', !isDuration(draft.maxRuntime), 'duration');
  note('max_wait', draft.isSpot && !isDuration(draft.maxWait), 'duration');
  note('retries', !isCount(draft.retries, 0, 1000), 'tries');
  note('priority', !isCount(draft.priority, -1000, 1000), 'priority');
  note(
    'schedule_name',
    !isNow && !SCHEDULE_NAME.test(draft.scheduleName),
    'name'
  );
  note('cron', draft.when === 'cron' && draft.cron.trim() === '', 'missing');
  note('every', draft.when === 'every' && draft.every.trim() === '', 'missing');
  note('every', draft.when === 'every' && !isDuration(draft.every), 'duration');
  return problems;
}

/** The request of a form without problems; parameters that are left as they are stay the file's own. */
export function requestOf(
  draft: IStartDraft,
  form: SubmissionForm
): SubmissionRequest {
  const params: { [name: string]: unknown } = {};
  for (const parameter of form.parameters) {
    const text = paramText(draft, parameter);
    const given = valueOf(text, parameter.type);
    if (text !== textOf(parameter.default) && text !== '' && 'value' in given) {
      params[parameter.name] = given.value;
    }
  }
  for (const { name, value } of draft.further) {
    params[name] = looseValue(value);
  }
  const schedule = scheduleOf(draft);
  return {
    path: form.path,
    with_folder: draft.withFolder,
    name: schedule ? null : draft.name || null,
    params,
    inputs: Object.fromEntries(
      draft.inputs.map(({ name, value }) => [name, value.trim()])
    ),
    experiment: draft.experiment.trim() || null,
    cpus: draft.cpus ? Number(draft.cpus) : null,
    memory: draft.memory || null,
    processes: 1,
    max_runtime: draft.maxRuntime.trim() || null,
    spot: draft.isSpot ? { max_wait: draft.maxWait.trim() || null } : null,
    retries: Number(draft.retries),
    priority: Number(draft.priority),
    schedule
  };
}

function scheduleOf(draft: IStartDraft): SubmissionScheduleRequest | null {
  if (draft.when === 'now') {
    return null;
  }
  const isCron = draft.when === 'cron';
  return {
    name: draft.scheduleName,
    cron: isCron ? draft.cron.trim() : null,
    every: isCron ? null : draft.every.trim(),
    time_zone: draft.timeZone.trim() || null,
    missed: draft.missed,
    overlap: draft.overlap
  };
}

function isCount(text: string, least: number, most: number): boolean {
  const number = text.trim() === '' ? NaN : Number(text);
  return Number.isInteger(number) && number >= least && number <= most;
}

/** Whether a text is a duration, or nothing. */
function isDuration(text: string): boolean {
  return text.trim() === '' || DURATION.test(text);
}
