import type { ScheduleRecord } from '../../../api';
import { formatInZone } from '../TimingFields';
import { changeOf, durationText, secondsOf, timingOf } from '../timing';

const SCHEDULE = {
  cron: null,
  every: 5400,
  time_zone: 'Europe/Berlin',
  missed: 'skip',
  overlap: 'allow'
} as ScheduleRecord;

it.each([
  ['90s', 90],
  ['1h 30min', 5400],
  ['1.5h', 5400],
  ['1d', 86_400],
  ['', null],
  ['6', null],
  ['0s', null],
  ['0.5s', null],
  ['6h soon', null]
])('"%s" is %p seconds', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});

it.each([90, 5400, 86_400, 90_061])('%d seconds come back', seconds => {
  expect(secondsOf(durationText(seconds))).toBe(seconds);
});

it('times are typed and sent', () => {
  const timing = timingOf(SCHEDULE);
  expect(timing).toMatchObject({ kind: 'every', every: '1h 30min' });
  const rest = {
    time_zone: 'Europe/Berlin',
    missed: 'skip',
    overlap: 'allow'
  };
  expect(changeOf(timing)).toEqual({ every: 5400, ...rest });
  const cron = { ...timing, kind: 'cron' as const, cron: ' 0 4 * * * ' };
  expect(changeOf(cron)).toEqual({ cron: '0 4 * * *', ...rest });
  expect(changeOf({ ...cron, cron: ' ' })).toBeNull();
  expect(changeOf({ ...timing, every: 'soon' })).toBeNull();
});

it('moments are told on the clocks of their time zone', () => {
  const time = Date.UTC(2026, 0, 1, 2);
  expect(formatInZone(time, 'Europe/Berlin', 'en')).toContain('3:00');
  expect(formatInZone(time, 'UTC', 'en')).toContain('2:00');
  expect(formatInZone(time, 'Mars/Base', 'en')).toContain('2026');
});
