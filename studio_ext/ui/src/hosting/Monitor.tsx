/** What an endpoint did over time: requests, errors, latencies, workers, processors and memory. */
import * as React from 'react';

import type { EndpointHistory } from '../api';
import {
  EmptyState,
  Figure,
  IFigure,
  Loaded,
  SelectField,
  formatBytes,
  formatCount,
  formatLatency,
  formatNumber,
  isFigure
} from '../components';
import { useResource, useStudio } from '../frame';
import { getHistory } from './calls';

const FIGURE_HEIGHT = 220;
const RANGES = [300, 900, 3600, 21600, 86400];

interface IDrawn {
  text: string;
  history: EndpointHistory;
}

export function Monitor(props: { name: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props;
  const [seconds, setSeconds] = React.useState(900);
  const resource = useResource<IDrawn>(
    `endpoint-history/${name}/${seconds}`,
    async (signal, known) => {
      const history = await getHistory(client, name, seconds, signal);
      const text = JSON.stringify(history);
      // The same object for the same curves, so that nothing is drawn again.
      return known?.text === text ? known : { text, history };
    }
  );
  const ranges: { [seconds: number]: string } = {
    300: trans.__('5 minutes'),
    900: trans.__('15 minutes'),
    3600: trans.__('1 hour'),
    21600: trans.__('6 hours'),
    86400: trans.__('1 day')
  };
  return (
    <div className="atelier-EndpointMonitor">
      <div className="atelier-Form">
        <SelectField
          label={trans.__('The last')}
          value={String(seconds)}
          onChange={value => setSeconds(Number(value))}
          options={RANGES.map(range => ({
            value: String(range),
            label: ranges[range]
          }))}
        />
      </div>
      <Loaded
        resource={resource}
        failure={trans.__('What the endpoint did could not be read')}
        rows={10}
      >
        {({ history }) => <MonitorView name={name} history={history} />}
      </Loaded>
    </div>
  );
}

function MonitorView(props: {
  name: string;
  history: EndpointHistory;
}): React.ReactElement {
  const { trans } = useStudio();
  const { figures, numbers } = props.history;
  const titles: { [figure: string]: string } = {
    requests: trans.__('Requests'),
    errors: trans.__('Errors'),
    latency: trans.__('Latency of the model'),
    load: trans.__('Requests in flight and workers'),
    cpu: trans.__('Processors'),
    memory: trans.__('Memory'),
    backlog: trans.__('Asynchronous requests that wait')
  };
  const drawn = Object.entries(figures).flatMap(
    ([key, figure]): [string, IFigure][] =>
      isFigure(figure) ? [[key, figure as IFigure]] : []
  );
  if (drawn.length === 0) {
    return (
      <EmptyState
        title={trans.__('Nothing is known of this time')}
        text={trans.__(
          'What an endpoint does is noted every few seconds while it is in service. Ask it something:'
        )}
        code={`kt.hosting.get(${JSON.stringify(props.name)}).predict(X)`}
      />
    );
  }
  return (
    <>
      <Numbers numbers={numbers} />
      <div className="atelier-Charts">
        {drawn.map(([key, figure]) => (
          <Figure
            key={key}
            title={titles[key] ?? key}
            figure={figure}
            height={FIGURE_HEIGHT}
            code={[
              `endpoint = kt.hosting.get(${JSON.stringify(props.name)})`,
              `kt.hosting.history_figures(endpoint.history())[${JSON.stringify(key)}]`
            ].join('\n')}
          />
        ))}
      </div>
    </>
  );
}

function Numbers(props: {
  numbers: EndpointHistory['numbers'];
}): React.ReactElement {
  const { trans } = useStudio();
  const { numbers } = props;
  const shown = (key: string, format: (value: number) => string): string => {
    const value = numbers[key];
    return typeof value === 'number' ? format(value) : '–';
  };
  const facts: [string, string][] = [
    [trans.__('Requests'), shown('requests', formatCount)],
    [
      trans.__('In a second'),
      shown('requests_per_second', value => formatNumber(value))
    ],
    [trans.__('Half take at most'), shown('latency_p50', formatLatency)],
    [trans.__('99 of 100 take at most'), shown('latency_p99', formatLatency)],
    [trans.__('Overhead, 99 of 100'), shown('overhead_p99', formatLatency)],
    [trans.__('Processors'), shown('cpu', value => formatNumber(value))],
    [trans.__('Memory at most'), shown('memory', formatBytes)]
  ];
  return (
    <dl
      className="atelier-EndpointNumbers"
      aria-label={trans.__('All of this time')}
    >
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
