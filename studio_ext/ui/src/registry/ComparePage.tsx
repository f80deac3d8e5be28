/** Versions that were chosen in a list, side by side. */
import * as React from 'react';

import { PageHeader } from '../components';
import { useStudio } from '../frame';
import { VersionCompare } from './VersionCompare';
import type { IVersionKey } from './calls';
import { formatVersions } from './versionKeys';

export function ComparePage(props: {
  versions: IVersionKey[];
}): React.ReactElement {
  const { trans } = useStudio();
  return (
    <div className="atelier-PageBody">
      <PageHeader
        title={trans.__('Versions side by side')}
        crumbs={[{ label: trans.__('Models'), path: 'models' }]}
      />
      <VersionCompare
        key={formatVersions(props.versions)}
        versions={props.versions}
      />
    </div>
  );
}
