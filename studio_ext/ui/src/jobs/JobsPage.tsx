/** All jobs, and what makes new ones. */
import * as React from 'react';

import { IMenuItem, PageHeader, Tabs } from '../components';
import { useStudio } from '../frame';
import { JobsList } from './JobsList';
import { SchedulesList } from './schedules/SchedulesList';

export function JobsPage(props: { menu: IMenuItem[] }): React.ReactElement {
  const { trans } = useStudio();
  return (
    <div className="atelier-PageBody atelier-Split">
      <PageHeader title={trans.__('Jobs')} menu={props.menu} />
      <Tabs
        label={trans.__('Parts of jobs')}
        tabs={[
          {
            id: 'jobs',
            label: trans.__('Jobs'),
            render: () => <JobsList />
          },
          {
            id: 'schedules',
            label: trans.__('Schedules'),
            render: () => <SchedulesList />
          }
        ]}
      />
    </div>
  );
}
