/** When it runs: now, or again and again. */
import * as React from 'react';

import { InputField, SelectField } from '../../components';
import { useStudio } from '../../frame';
import { TimingFields } from '../schedules/TimingFields';
import type { IFields } from './fields';

export function ScheduleFields(fields: IFields): React.ReactElement {
  const { trans } = useStudio();
  const { draft, change, errorOf } = fields;
  return (
    <section
      aria-label={trans.__('When it runs')}
      data-fields="schedule_name cron every time_zone"
    >
      <h2>{trans.__('When it runs')}</h2>
      <div className="atelier-Form">
        <SelectField
          label={trans.__('When')}
          value={draft.when}
          onChange={value =>
            change({
              when: value === 'cron' || value === 'every' ? value : 'now'
            })
          }
          options={[
            { value: 'now', label: trans.__('Now, once') },
            { value: 'cron', label: trans.__('At times (cron)') },
            { value: 'every', label: trans.__('At intervals') }
          ]}
        />
        {draft.when !== 'now' && (
          <InputField
            label={trans.__('Name of the schedule')}
            value={draft.scheduleName}
            onChange={scheduleName => change({ scheduleName })}
            error={errorOf('schedule_name')}
            help={trans.__('Its jobs are called after it and their time.')}
          />
        )}
      </div>
      {draft.when !== 'now' && (
        <TimingFields
          timing={{ ...draft, kind: draft.when }}
          change={change}
          errorOf={errorOf}
        />
      )}
    </section>
  );
}
