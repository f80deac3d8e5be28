/** The schedules on a page of their own. */
import * as React from 'react';

import { PageHeader } from '../../components';
import { useStudio } from '../../frame';
import { SchedulesList } from './SchedulesList';

export function SchedulesPage(): React.ReactElement {
  const { trans } = useStudio();
  return (
    <div className="atelier-PageBody">
      <PageHeader
        title={trans.__('Schedules')}
        crumbs={[{ label: trans.__('Jobs'), path: 'jobs' }]}
      />
      <SchedulesList />
    </div>
  );
}
