/** Where the job runs and what holds it: experiment, processors, memory, time, interruptions, tries. */
import * as React from 'react';

import {
  CheckField,
  InputField,
  SelectField,
  formatBytes
} from '../../components';
import { useStudio } from '../../frame';
import type { IFields } from './fields';

export function ResourceFields(fields: IFields): React.ReactElement {
  const { trans } = useStudio();
  const { draft, form, change, errorOf } = fields;
  return (
    <section
      aria-label={trans.__('How it runs')}
      data-fields="name experiment cpus memory max_runtime max_wait retries priority"
    >
      <h2>{trans.__('How it runs')}</h2>
      <div className="atelier-Form">
        {draft.when === 'now' && (
          <InputField
            label={trans.__('Name of the job')}
            value={draft.name}
            onChange={name => change({ name })}
            placeholder={trans.__('%1 and the time', form.suggested_name)}
            error={errorOf('name')}
          />
        )}
        <ExperimentField {...fields} />
        <InputField
          label={trans.__('Processors')}
          value={draft.cpus}
          onChange={cpus => change({ cpus })}
          placeholder={trans.__('all %1', form.cpus)}
          error={errorOf('cpus')}
        />
        <InputField
          label={trans.__('Memory')}
          value={draft.memory}
          onChange={memory => change({ memory })}
          placeholder={trans.__('no limit, of %1', formatBytes(form.memory))}
          error={errorOf('memory')}
        />
        <InputField
          label={trans.__('Longest run time')}
          value={draft.maxRuntime}
          onChange={maxRuntime => change({ maxRuntime })}
          placeholder={trans.__('no limit, or such as 2h')}
          error={errorOf('max_runtime')}
        />
        <InputField
          label={trans.__('Tries again after an error')}
          value={draft.retries}
          onChange={retries => change({ retries })}
          error={errorOf('retries')}
        />
        <InputField
          label={trans.__('Priority')}
          value={draft.priority}
          onChange={priority => change({ priority })}
          help={trans.__('Higher ones start first.')}
          error={errorOf('priority')}
        />
      </div>
      <CheckField
        label={trans.__('Take the other files of its folder along')}
        isChecked={draft.withFolder}
        onChange={withFolder => change({ withFolder })}
        help={trans.__('Needed if it imports modules that stand beside it.')}
      />
      <CheckField
        label={trans.__('Run on spot capacity')}
        isChecked={draft.isSpot}
        onChange={isSpot => change({ isSpot })}
        help={trans.__(
          'It may be interrupted, and goes on from its newest checkpoint.'
        )}
      />
      {draft.isSpot && (
        <div className="atelier-Form">
          <InputField
            label={trans.__('Longest time of waiting and running')}
            value={draft.maxWait}
            onChange={maxWait => change({ maxWait })}
            placeholder={trans.__('no limit, or such as 8h')}
            error={errorOf('max_wait')}
          />
        </div>
      )}
    </section>
  );
}

/** One of the experiments that there are, or a new one. */
function ExperimentField(fields: IFields): React.ReactElement {
  const { trans } = useStudio();
  const { draft, form, change, errorOf } = fields;
  const [isNew, setNew] = React.useState(form.experiments.length === 0);
  const NEW = '\u0000new';
  if (isNew) {
    return (
      <InputField
        label={trans.__('Experiment')}
        value={draft.experiment}
        onChange={experiment => change({ experiment })}
        placeholder={trans.__('none')}
        help={trans.__('It gets a run for this job.')}
        error={errorOf('experiment')}
      />
    );
  }
  return (
    <SelectField
      label={trans.__('Experiment')}
      value={draft.experiment}
      onChange={experiment =>
        experiment === NEW ? setNew(true) : change({ experiment })
      }
      help={trans.__('It gets a run for this job.')}
      error={errorOf('experiment')}
      options={[
        { value: '', label: trans.__('None') },
        ...form.experiments.map(name => ({ value: name, label: name })),
        { value: NEW, label: trans.__('A new one…') }
      ]}
    />
  );
}
