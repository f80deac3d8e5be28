/** The times of a schedule: cron or interval, time zone, what happens about missed ones; with the next five. */
import * as React from 'react';

import type { SubmissionScheduleRequest, TimesReply } from '../../api';
import { ApiError } from '../../api';
import { InputField, SelectField, formatAbsolute } from '../../components';
import { useStudio } from '../../frame';
import { previewTimes } from '../start/calls';

/** What is typed about times. */
export interface ITiming {
  kind: 'cron' | 'every';
  cron: string;
  every: string;
  timeZone: string;
  missed: SubmissionScheduleRequest['missed'];
  overlap: SubmissionScheduleRequest['overlap'];
}

/** Milliseconds without typing before the next times are asked for. */
const PAUSE = 300;

export function TimingFields(props: {
  timing: ITiming;
  change(part: Partial<Omit<ITiming, 'kind'>>): void;
  errorOf(field: string): string | undefined;
}): React.ReactElement {
  const { trans } = useStudio();
  const { timing, change, errorOf } = props;
  const isCron = timing.kind === 'cron';
  const preview = useNextTimes(timing);
  const errorAt = (field: string) =>
    errorOf(field) ??
    (preview.error?.field === field ? preview.error.message : undefined);
  return (
    <>
      <div className="atelier-Form">
        {isCron ? (
          <InputField
            label={trans.__('Cron expression')}
            value={timing.cron}
            onChange={cron => change({ cron })}
            error={errorAt('cron')}
            help={trans.__(
              'Minute, hour, day of the month, month, day of the week.'
            )}
          />
        ) : (
          <InputField
            label={trans.__('Every')}
            value={timing.every}
            onChange={every => change({ every })}
            error={errorAt('every')}
            help={trans.__('Such as 30min, 6h or 1d.')}
          />
        )}
        <TimeZoneField
          value={timing.timeZone}
          onChange={timeZone => change({ timeZone })}
          error={errorAt('time_zone')}
        />
        <SelectField
          label={trans.__('Times missed while nothing ran')}
          value={timing.missed}
          onChange={value =>
            change({
              missed: value === 'skip' || value === 'all' ? value : 'once'
            })
          }
          options={[
            { value: 'once', label: trans.__('Make up for them once') },
            { value: 'skip', label: trans.__('Skip them') },
            { value: 'all', label: trans.__('Make up for each') }
          ]}
        />
        <SelectField
          label={trans.__('While its former job still runs')}
          value={timing.overlap}
          onChange={value =>
            change({ overlap: value === 'skip' ? 'skip' : 'allow' })
          }
          options={[
            { value: 'allow', label: trans.__('Start another one') },
            { value: 'skip', label: trans.__('Skip the time') }
          ]}
        />
      </div>
      <NextTimes reply={preview.reply} timeZone={timing.timeZone} />
    </>
  );
}

function NextTimes(props: {
  reply: TimesReply | null;
  timeZone: string;
}): React.ReactElement {
  const { trans } = useStudio();
  const { reply } = props;
  return (
    <div className="atelier-NextTimes" aria-live="polite">
      {reply && (
        <>
          <div className="atelier-muted">{reply.timing}</div>
          <ol aria-label={trans.__('Next times')}>
            {reply.times.map(time => (
              <li key={time} title={formatAbsolute(time)}>
                {formatInZone(time, props.timeZone)}
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

function TimeZoneField(props: {
  value: string;
  onChange(value: string): void;
  error?: string;
}): React.ReactElement {
  const { trans } = useStudio();
  const zones = React.useMemo(() => {
    const known = new Set(['UTC', ...timeZones()]);
    known.add(props.value);
    return [...known].sort();
  }, [props.value]);
  return (
    <SelectField
      label={trans.__('Time zone')}
      value={props.value}
      onChange={props.onChange}
      error={props.error}
      options={zones.map(zone => ({ value: zone, label: zone }))}
    />
  );
}

/** Ask for the next times once nothing was typed for a moment. */
function useNextTimes({ kind, cron, every, timeZone }: ITiming): {
  reply: TimesReply | null;
  error: ApiError | null;
} {
  const { client } = useStudio();
  const [state, setState] = React.useState<{
    reply: TimesReply | null;
    error: ApiError | null;
  }>({ reply: null, error: null });
  const text = kind === 'cron' ? cron : every;
  React.useEffect(() => {
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      const body = { [kind]: text.trim(), time_zone: timeZone || null };
      previewTimes(
        client,
        { cron: null, every: null, ...body },
        controller.signal
      )
        .then(reply => setState({ reply, error: null }))
        .catch((failure: unknown) => {
          if (!controller.signal.aborted) {
            const error =
              failure instanceof ApiError
                ? failure
                : ApiError.fromFailure(failure);
            setState({ reply: null, error });
          }
        });
    }, PAUSE);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [client, kind, text, timeZone]);
  return state;
}

/** The names of the time zones that the browser knows. */
function timeZones(): string[] {
  const intl = Intl as { supportedValuesOf?: (key: string) => string[] };
  return intl.supportedValuesOf?.('timeZone') ?? [];
}

/** A moment on the clocks of a time zone, or of the browser if that does not know it. */
export function formatInZone(
  time: number,
  timeZone: string,
  language?: string
): string {
  const style = { dateStyle: 'full', timeStyle: 'short' } as const;
  try {
    return new Intl.DateTimeFormat(language, { ...style, timeZone }).format(
      time
    );
  } catch {
    return new Intl.DateTimeFormat(language, style).format(time);
  }
}
