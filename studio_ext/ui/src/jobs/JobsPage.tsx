/** All jobs, and what makes new ones. */
import * as React from 'react';

import { PageHeader, Tabs } from '../components';
import { useStudio } from '../frame';
import { JobsList } from './JobsList';
import type { Notices } from './notices';
import { SchedulesList } from './schedules/SchedulesList';

export function JobsPage(props: { notices: Notices }): React.ReactElement {
  const { trans } = useStudio();
  const { notices } = props;
  const [mode, setMode] = React.useState(notices.mode);
  React.useEffect(() => {
    const onChanged = () => setMode(notices.mode);
    onChanged();
    notices.modeChanged.connect(onChanged);
    return () => void notices.modeChanged.disconnect(onChanged);
  }, [notices]);
  return (
    <div className="atelier-PageBody atelier-Split">
      <PageHeader
        title={trans.__('Jobs')}
        menu={[
          {
            label: trans.__('Desktop Notification When a Job Ends'),
            beginsGroup: true,
            isToggled: mode === 'desktop',
            onSelect: () => void notices.setDesktop(mode !== 'desktop')
          }
        ]}
      />
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
