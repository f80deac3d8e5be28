/** Which resources are idle, and for how long. */
import type { Resource } from '../api';

/** The resources that have been idle for at least so many minutes. */
export function idleFor(
  resources: readonly Resource[],
  minutes: number,
  now: number
): Resource[] {
  return resources.filter(
    ({ idle_since }) =>
      idle_since !== null && now - idle_since >= minutes * 60e3
  );
}

/** The memory of several resources in bytes. */
export function memoryOf(resources: readonly Resource[]): number {
  return resources.reduce((sum, { memory }) => sum + (memory ?? 0), 0);
}

/** Processors in use as a share of one: `150 %`. */
export function formatCpu(cpu: number | null): string {
  if (cpu === null) {
    return '';
  }
  const percent = cpu * 100;
  const digits = percent < 10 ? 1 : 0;
  return `${percent.toFixed(digits)} %`;
}
