/** The same job or schedule in Python. */
import type { SubmissionRequest } from '../../api';

/** The call that does what the form does. */
export function asPython(request: SubmissionRequest): string {
  const { schedule, spot } = request;
  const entry = request.path.split('/').pop() ?? request.path;
  const folder = request.path.split('/').slice(0, -1).join('/') || '.';
  const first = request.with_folder ? entry : request.path;
  const resources = [
    request.cpus ? `cpus=${request.cpus}` : '',
    request.memory ? `memory=${literal(request.memory)}` : ''
  ].filter(part => part);
  const optional: [string, unknown, boolean][] = [
    ['params', request.params, Object.keys(request.params).length > 0],
    ['inputs', request.inputs, Object.keys(request.inputs).length > 0],
    ['experiment', request.experiment, Boolean(request.experiment)],
    ['name', request.name, Boolean(request.name)]
  ];
  const lines = [
    ...(schedule ? [literal(schedule.name)] : []),
    literal(first),
    ...(request.with_folder ? [`source_dir=${literal(folder)}`] : []),
    ...optional
      .filter(([, , isGiven]) => isGiven)
      .map(([name, value]) => `${name}=${literal(value)}`),
    ...(resources.length
      ? [`resources=kt.jobs.Resources(${resources.join(', ')})`]
      : []),
    ...(request.max_runtime
      ? [`max_runtime=${literal(request.max_runtime)}`]
      : []),
    ...(spot
      ? [
          `spot=kt.jobs.Spot(${spot.max_wait ? `max_wait=${literal(spot.max_wait)}` : ''})`
        ]
      : []),
    ...(request.retries
      ? [`retries=kt.jobs.Retries(errors=${request.retries})`]
      : []),
    ...(request.priority ? [`priority=${request.priority}`] : []),
    ...(schedule?.cron ? [`cron=${literal(schedule.cron)}`] : []),
    ...(schedule?.every ? [`every=${literal(schedule.every)}`] : []),
    ...(schedule?.time_zone
      ? [`time_zone=${literal(schedule.time_zone)}`]
      : []),
    ...(schedule ? [`missed=${literal(schedule.missed)}`] : []),
    ...(schedule ? [`overlap=${literal(schedule.overlap)}`] : [])
  ];
  const call = schedule
    ? 'schedule = kt.jobs.create_schedule'
    : 'job = kt.jobs.submit';
  return `import kernel_tools as kt\n\n${call}(\n    ${lines.join(',\n    ')},\n)`;
}

/** A JSON value as Python writes it. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(literal).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const items = Object.entries(value).map(
      ([key, item]) => `${literal(key)}: ${literal(item)}`
    );
    return `{${items.join(', ')}}`;
  }
  return JSON.stringify(value);
}
