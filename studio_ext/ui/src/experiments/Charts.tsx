/** The curves of a run's metrics, one figure for each group of keys, fetched when it comes into sight. */
import * as React from 'react';

import type { RunRecord } from '../api';
import { EmptyState, Figure, IFigure, isFigure } from '../components';
import { useResource, useStudio } from '../frame';
import { groupMetrics } from './groups';

const FIGURE_HEIGHT = 280;

export function Charts(props: { run: RunRecord }): React.ReactElement {
  const { trans } = useStudio();
  const { run } = props;
  const groups = groupMetrics(Object.keys(run.metrics));
  if (groups.length === 0) {
    return (
      <EmptyState
        title={trans.__('No metrics yet')}
        text={trans.__(
          'Each metric that the run logs becomes a curve here, while it runs.'
        )}
        code={'run.log_metric("loss", 0.31, step=1)'}
      />
    );
  }
  return (
    <div className="atelier-Charts">
      {groups.map(group => (
        <WhenInSight key={group.name}>
          <MetricFigure run={run} title={group.name} keys={group.keys} />
        </WhenInSight>
      ))}
    </div>
  );
}

function MetricFigure(props: {
  run: RunRecord;
  title: string;
  keys: string[];
}): React.ReactElement {
  const { client } = useStudio();
  const { run, keys, title } = props;
  const known = React.useRef<{
    isFinal: boolean;
    text: string;
    figure: IFigure | null;
  }>({
    isFinal: false,
    text: '',
    figure: null
  });
  const figure = useResource<IFigure | null>(
    JSON.stringify(['figure', run.id, keys]),
    async signal => {
      if (known.current.isFinal) {
        return known.current.figure;
      }
      const isFinal = run.status !== 'RUNNING';
      const reply = await client.metricsFigure(run.id, keys, signal);
      const text = JSON.stringify(reply.figure);
      if (text !== known.current.text && isFigure(reply.figure)) {
        known.current = { isFinal, text, figure: reply.figure };
      }
      known.current.isFinal = isFinal;
      return known.current.figure;
    }
  );
  return (
    <Figure
      title={title}
      figure={figure.data}
      error={figure.error}
      height={FIGURE_HEIGHT}
    />
  );
}

/** Draws its content once it has come into sight; until then it keeps the place. */
function WhenInSight(props: { children: React.ReactNode }): React.ReactElement {
  const root = React.useRef<HTMLDivElement>(null);
  const [isSeen, setSeen] = React.useState(
    typeof IntersectionObserver === 'undefined'
  );
  React.useEffect(() => {
    const node = root.current;
    if (!node || isSeen) {
      return;
    }
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        setSeen(true);
      }
    });
    observer.observe(node);
    return () => observer.disconnect();
  }, [isSeen]);
  return (
    <div ref={root} style={{ minHeight: FIGURE_HEIGHT + 32 }}>
      {isSeen && props.children}
    </div>
  );
}
