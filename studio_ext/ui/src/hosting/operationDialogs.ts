/** What the user is asked before an endpoint is updated, scaled, or shares its requests otherwise. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { EndpointOperation, ScaleRequest, UpdateRequest } from '../api';
import { Answers, IQuestion, ask } from '../components';

/** Parts are typed in percent. */
const PERCENT = '[0-9]+([.][0-9]+)?';
const NAME = '[A-Za-z0-9][A-Za-z0-9_.\\-]*';
const NEW_VARIANT = '+';
const isBeside = ({ variant }: Answers): boolean => variant === NEW_VARIANT;
const isInSteps = ({ kind }: Answers): boolean => kind !== 'all_at_once';

/** Ask to which version, how, and what rolls it back; null if the user cancels. */
export async function askUpdate(
  name: string,
  operation: EndpointOperation,
  trans: TranslationBundle
): Promise<Partial<UpdateRequest> | null> {
  const answers = await ask({
    title: trans.__('Update the endpoint %1', name),
    text: trans.__('No request is dropped; the old workers stay until then.'),
    accept: trans.__('Update'),
    questions: [
      {
        name: 'version',
        label: trans.__('Version'),
        pattern: '[0-9]*',
        help: trans.__('Empty is the newest approved one.')
      },
      {
        name: 'variant',
        label: trans.__('Answers'),
        kind: 'choice',
        value: operation.variants[0]?.name ?? '',
        choices: [
          ...operation.variants.map(variant => ({
            value: variant.name,
            label: trans.__('Instead of variant %1', variant.name)
          })),
          {
            value: NEW_VARIANT,
            label: trans.__('Beside them, as a variant of its own')
          }
        ]
      },
      {
        name: 'name',
        label: trans.__('Name of the new variant'),
        value: 'challenger',
        pattern: NAME,
        when: isBeside
      },
      {
        name: 'part',
        label: trans.__('Its part of all requests, in percent'),
        value: '10',
        pattern: PERCENT,
        when: isBeside
      },
      {
        name: 'kind',
        label: trans.__('Strategy'),
        kind: 'choice',
        value: 'canary',
        choices: [
          { value: 'all_at_once', label: trans.__('All at once') },
          { value: 'canary', label: trans.__('Canary: a part, then the rest') },
          { value: 'linear', label: trans.__('Linear: in steps') },
          { value: 'rolling', label: trans.__('Rolling: worker by worker') }
        ]
      },
      {
        name: 'size',
        label: trans.__('Part of each step, in percent'),
        value: '10',
        pattern: PERCENT,
        when: isInSteps
      },
      {
        name: 'wait',
        label: trans.__('Seconds between two steps'),
        value: '5',
        pattern: '[0-9]+',
        when: isInSteps
      },
      {
        name: 'bake',
        label: trans.__('Seconds to watch at the end'),
        value: '10',
        pattern: '[0-9]+'
      },
      ...alarmQuestions(trans),
      {
        name: 'trust',
        label: trans.__('Run code that the version brings'),
        kind: 'check',
        help: trans.__('Only if you trust who registered it.')
      }
    ]
  });
  return answers && updateOf(answers, operation);
}

function alarmQuestions(trans: TranslationBundle): IQuestion[] {
  return [
    {
      name: 'errors',
      label: trans.__('Roll back above this part of errors, in percent'),
      value: '5',
      pattern: `(${PERCENT})?`,
      help: trans.__('Empty watches nothing.')
    },
    {
      name: 'latency',
      label: trans.__('Roll back above this time of 99 of 100 requests, in ms'),
      pattern: `(${PERCENT})?`
    },
    {
      name: 'metric',
      label: trans.__('Roll back by a metric of your own'),
      pattern: `(${NAME})?`,
      placeholder: 'drift',
      help: trans.__('endpoint.put_metric tells its value.')
    },
    {
      name: 'above',
      label: trans.__('Roll back above this value of it'),
      pattern: '-?[0-9]+([.][0-9]+)?',
      isRequired: true,
      when: answers => answers.metric !== ''
    }
  ];
}

function updateOf(
  answers: Answers,
  operation: EndpointOperation
): Partial<UpdateRequest> {
  const size = Math.min(Math.max(Number(answers.size) / 100, 0.01), 1);
  const alarms = [
    { metric: 'error_rate', above: partOf(answers.errors) },
    { metric: 'p99_latency_ms', above: numberOf(answers.latency) }
  ];
  if (answers.metric) {
    alarms.push({ metric: answers.metric, above: numberOf(answers.above) });
  }
  return {
    version: answers.version ? Number(answers.version) : null,
    ...variantOf(answers, operation),
    kind: answers.kind as UpdateRequest['kind'],
    canary_size: size,
    step_size: size,
    wait_seconds: Number(answers.wait),
    bake_seconds: Number(answers.bake),
    alarms: alarms.flatMap(alarm =>
      alarm.above === null ? [] : [{ ...alarm, above: alarm.above }]
    ),
    trust: answers.trust === 'yes'
  };
}

/** The variant that is changed; or a new one, with the weight that gives it its part beside the others. */
function variantOf(
  answers: Answers,
  operation: EndpointOperation
): Pick<UpdateRequest, 'variant' | 'weight'> {
  if (answers.variant !== NEW_VARIANT) {
    return { variant: answers.variant, weight: null };
  }
  const share = Math.min(Number(answers.part) / 100, 0.99);
  const whole = operation.variants.reduce((sum, one) => sum + one.weight, 0);
  return { variant: answers.name, weight: (whole * share) / (1 - share) };
}

function numberOf(text: string | undefined): number | null {
  return text ? Number(text) : null;
}

function partOf(text: string | undefined): number | null {
  const number = numberOf(text);
  return number === null ? null : number / 100;
}

/** Ask for a fixed number of workers; null if the user cancels. */
export async function askWorkers(
  operation: EndpointOperation,
  trans: TranslationBundle
): Promise<Partial<ScaleRequest> | null> {
  const { variants, scaling } = operation;
  const answers = await ask({
    title: trans.__('How many workers?'),
    text: scaling
      ? trans.__('A fixed number ends autoscaling.')
      : trans.__('So many processes answer for each variant.'),
    accept: trans.__('Scale'),
    questions: [
      {
        name: 'workers',
        label: trans.__('Workers, 1 to 64'),
        value: String(variants[0]?.workers ?? 1),
        pattern: '[0-9]+',
        isRequired: true
      },
      ...(variants.length > 1
        ? [
            {
              name: 'variant',
              label: trans.__('Variant'),
              kind: 'choice' as const,
              value: '',
              choices: [
                { value: '', label: trans.__('Each one') },
                ...variants.map(({ name }) => ({ value: name, label: name }))
              ]
            }
          ]
        : [])
    ]
  });
  return (
    answers && {
      workers: Number(answers.workers),
      variant: answers.variant || null
    }
  );
}

/** Ask for the policy of autoscaling; null if the user cancels. */
export async function askScaling(
  operation: EndpointOperation,
  trans: TranslationBundle
): Promise<Partial<ScaleRequest> | null> {
  const { scaling } = operation;
  const number = (name: string, label: string, value: number | string) => ({
    name,
    label,
    value: String(value),
    pattern: PERCENT,
    isRequired: true
  });
  const answers = await ask({
    title: trans.__('Scale with the load'),
    text: trans.__(
      'Workers are added and taken away so that each has about the target.'
    ),
    accept: trans.__('Set'),
    questions: [
      {
        name: 'metric',
        label: trans.__('What is watched'),
        kind: 'choice',
        value: scaling?.metric ?? 'requests_in_flight',
        choices: [
          {
            value: 'requests_in_flight',
            label: trans.__('Requests in flight of a worker')
          },
          {
            value: 'requests_per_second',
            label: trans.__('Requests of a worker in a second')
          },
          {
            value: 'backlog',
            label: trans.__('Asynchronous requests of a worker that wait')
          }
        ]
      },
      number('target', trans.__('Target'), scaling?.target ?? 4),
      {
        ...number(
          'min_workers',
          trans.__('Workers at least'),
          scaling?.min_workers ?? 1
        ),
        help: trans.__(
          '0 lets the last one end; the next request waits for a new one.'
        )
      },
      number(
        'max_workers',
        trans.__('Workers at most, up to 64'),
        scaling?.max_workers ?? 4
      ),
      number(
        'idle_seconds',
        trans.__('Seconds without a request before the last one ends'),
        scaling?.idle_seconds ?? 300
      ),
      number(
        'scale_out_cooldown',
        trans.__('Seconds between two additions'),
        scaling?.scale_out_cooldown ?? 5
      ),
      number(
        'scale_in_cooldown',
        trans.__('Seconds before workers are taken away'),
        scaling?.scale_in_cooldown ?? 60
      )
    ]
  });
  if (answers === null) {
    return null;
  }
  const { metric, ...numbers } = answers;
  return {
    metric: metric as ScaleRequest['metric'],
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [name, Number(value)])
    )
  };
}

/** Ask for the weights of the variants; null if the user cancels. */
export async function askWeights(
  operation: EndpointOperation,
  trans: TranslationBundle
): Promise<{ [variant: string]: number } | null> {
  const answers = await ask({
    title: trans.__('Share the requests'),
    text: trans.__('The part of a variant is its weight over the sum of all.'),
    accept: trans.__('Share'),
    questions: operation.variants.map(({ name, weight }) => ({
      name,
      label: name,
      value: String(weight),
      pattern: PERCENT,
      isRequired: true
    }))
  });
  return (
    answers &&
    Object.fromEntries(
      Object.entries(answers).map(([name, value]) => [name, Number(value)])
    )
  );
}
