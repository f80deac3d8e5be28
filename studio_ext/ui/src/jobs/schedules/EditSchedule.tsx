/** Change when a schedule is due. What it runs never changes. */
import * as React from 'react';

import type { ScheduleRecord } from '../../api';
import { Button, ErrorBar, SelectField, useAction } from '../../components';
import { useStudio } from '../../frame';
import { TimingFields } from './TimingFields';
import { changeSchedule } from './calls';
import { changeOf, timingOf } from './timing';

export function EditSchedule(props: {
  schedule: ScheduleRecord;
  onClose(): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props.schedule;
  const [timing, setTiming] = React.useState(() => timingOf(props.schedule));
  const action = useAction();
  const change = changeOf(timing);
  const body = React.useRef<HTMLFormElement>(null);
  React.useEffect(() => {
    body.current?.querySelector<HTMLElement>('select, input')?.focus();
  }, []);
  const save = async () => {
    if (
      change &&
      (await action.run(() => changeSchedule(client, name, change)))
    ) {
      props.onClose();
    }
  };
  const errorOf = (field: string) =>
    field === timing.kind && !change
      ? field === 'every'
        ? trans.__('A duration such as 90s, 30min or 1h 30min.')
        : trans.__('A value is needed.')
      : undefined;
  return (
    <form
      ref={body}
      className="atelier-Start"
      noValidate
      aria-label={trans.__('Times of %1', name)}
      onSubmit={event => {
        event.preventDefault();
        if (!action.isBusy) {
          void save();
        }
      }}
    >
      <h2>{trans.__('Times of %1', name)}</h2>
      <div className="atelier-Form">
        <SelectField
          label={trans.__('When')}
          value={timing.kind}
          onChange={kind =>
            setTiming({ ...timing, kind: kind === 'cron' ? 'cron' : 'every' })
          }
          options={[
            { value: 'cron', label: trans.__('At times (cron)') },
            { value: 'every', label: trans.__('At intervals') }
          ]}
        />
      </div>
      <TimingFields
        timing={timing}
        change={part => setTiming({ ...timing, ...part })}
        errorOf={errorOf}
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div className="atelier-Buttons">
        <button
          type="submit"
          className="atelier-Button"
          data-kind="primary"
          disabled={!change || action.isBusy}
        >
          {trans.__('Save')}
        </button>
        <Button label={trans.__('Cancel')} onClick={props.onClose} />
      </div>
    </form>
  );
}
