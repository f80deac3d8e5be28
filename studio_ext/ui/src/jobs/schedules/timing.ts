/** Arithmetic on the times of schedules. */
import type { ScheduleChangeRequest, ScheduleRecord } from '../../api';
import type { ITiming } from './TimingFields';

const SECONDS: { [unit: string]: number } = {
  d: 86_400,
  h: 3600,
  min: 60,
  m: 60,
  s: 1
};
const PART = /(\d+(?:\.\d+)?)\s*(d|h|min|m|s)/g;

/** The seconds of a text such as `1h 30min`; null if it is none, or not a whole number of them. */
export function secondsOf(text: string): number | null {
  const rest = text.replace(PART, '').trim();
  const parts = [...text.matchAll(PART)];
  const seconds = parts.reduce(
    (sum, [, number, unit]) => sum + Number(number) * SECONDS[unit],
    0
  );
  return rest === '' && Number.isInteger(seconds) && seconds > 0
    ? seconds
    : null;
}

/** Seconds as a text such as `1h 30min`. */
export function durationText(seconds: number): string {
  const parts: string[] = [];
  let rest = seconds;
  for (const unit of ['d', 'h', 'min', 's']) {
    const count = Math.floor(rest / SECONDS[unit]);
    rest -= count * SECONDS[unit];
    if (count > 0) {
      parts.push(`${count}${unit}`);
    }
  }
  return parts.join(' ');
}

/** The times of a schedule as they are typed. */
export function timingOf(schedule: ScheduleRecord): ITiming {
  const { cron, every, time_zone, missed, overlap } = schedule;
  return {
    kind: cron === null ? 'every' : 'cron',
    cron: cron ?? '0 3 * * *',
    every: durationText(every ?? 6 * 3600),
    timeZone: time_zone,
    missed,
    overlap
  };
}

/** The request that changes the times of a schedule; null if an interval is none. */
export function changeOf(
  timing: ITiming
): Partial<ScheduleChangeRequest> | null {
  const rest = {
    time_zone: timing.timeZone,
    missed: timing.missed,
    overlap: timing.overlap
  };
  if (timing.kind === 'cron') {
    const cron = timing.cron.trim();
    return cron ? { cron, ...rest } : null;
  }
  const every = secondsOf(timing.every);
  return every === null ? null : { every, ...rest };
}
