import type { JobState, Stretch } from '../../api';
import { redoneParts } from '../Attempts';
import { fractionOf, segmentsOf, timeLeft } from '../state';

const STATES: JobState[] = ['Queued', 'Running', 'Interrupted', 'Waiting'];

function stretchesOf(lengths: number[], isEnded: boolean): Stretch[] {
  let at = 1000;
  const stretches: Stretch[] = lengths.map((length, index) => {
    const started_at = at;
    at += length;
    const isLast = index === lengths.length - 1;
    return {
      state: STATES[index % STATES.length],
      started_at,
      ended_at: isLast && !isEnded ? null : at,
      attempt: null
    };
  });
  return isEnded
    ? [
        ...stretches,
        { state: 'Completed', started_at: at, ended_at: at, attempt: null }
      ]
    : stretches;
}

test('a time line is full from its beginning to its end', () => {
  for (let count = 1; count < 40; count++) {
    const lengths = Array.from(
      { length: count },
      (_, index) => ((index * 37) % 11) + 1
    );
    const total = lengths.reduce((sum, length) => sum + length, 0);
    for (const isEnded of [true, false]) {
      const segments = segmentsOf(stretchesOf(lengths, isEnded), 1000 + total);
      expect(segments[0].start).toBe(0);
      segments.forEach((segment, index) => {
        const next = segments[index + 1]?.start ?? 1;
        expect(segment.end).toBeCloseTo(next, 9);
      });
      const sum = segments.reduce((all, { length }) => all + length, 0);
      expect(sum).toBe(total);
    }
  }
});

test('a job without events has no time line', () => {
  expect(segmentsOf([], 5)).toEqual([]);
});

test('the time left is told while a job runs and says how far it is', () => {
  const progress = {
    done: 25,
    total: 100,
    description: '',
    source: 'job',
    at: 0
  };
  const job = { state: 'Running' as const, duration: 1000, progress };
  expect(timeLeft(job)).toBe(3000);
  expect(timeLeft({ ...job, state: 'Completed' })).toBeNull();
  expect(timeLeft({ ...job, progress: null })).toBeNull();
  expect(timeLeft({ ...job, progress: { ...progress, done: 0 } })).toBeNull();
  expect(fractionOf({ ...progress, total: null })).toBeNull();
  expect(fractionOf({ ...progress, done: 'NaN' })).toBeNull();
  expect(fractionOf({ ...progress, done: 200 })).toBe(1);
});

test('redone work is the end of the attempt that it was done in', () => {
  const attempt = { running_at: 100, ended_at: 300, redone: 50 };
  expect(redoneParts([attempt], 0, 1000)).toEqual([
    { start: 0.25, end: 0.3, length: 50 }
  ]);
  expect(redoneParts([{ ...attempt, redone: 900 }], 0, 1000)[0].length).toBe(
    200
  );
  expect(redoneParts([{ ...attempt, ended_at: null }], 0, 1000)).toEqual([]);
});
