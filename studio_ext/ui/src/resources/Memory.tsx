/** The memory of everything that runs, as the left panel shows it. */
import * as React from 'react';

import { formatBytes } from '../components';
import { useResource, useStudio } from '../frame';
import { getMemory } from './calls';

export function Memory(): React.ReactElement {
  const { client } = useStudio();
  const { data } = useResource('memory', signal => getMemory(client, signal));
  return <>{data && data.resources > 0 ? formatBytes(data.memory) : ''}</>;
}
