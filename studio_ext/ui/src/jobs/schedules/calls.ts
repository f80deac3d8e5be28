/** What the list of schedules asks of the server. */
import { Client, IPageQuery, join } from '../../api';
import type * as api from '../../api';

export function listSchedules(
  client: Client,
  query: IPageQuery,
  signal?: AbortSignal
): Promise<api.SchedulePage> {
  return client.json('schedules', { query: { ...query }, signal });
}

export function changeSchedule(
  client: Client,
  name: string,
  body: Partial<api.ScheduleChangeRequest>
): Promise<api.ScheduleRecord> {
  return client.json(join('schedules', name), { method: 'PATCH', body });
}

export function runSchedule(
  client: Client,
  name: string
): Promise<api.JobRecord> {
  const path = join('schedules', name, 'run');
  return client.json(path, { method: 'POST', body: {} });
}

export async function deleteSchedule(
  client: Client,
  name: string
): Promise<void> {
  await client.reply(join('schedules', name), { method: 'DELETE' });
}
