/** What an attempt of a job used: processors, memory, disk, network, GPU. */
import * as React from 'react';

import type { JobRow } from '../api';
import { EmptyState, Figure, IFigure, Loaded, isFigure } from '../components';
import { useResource, useStudio } from '../frame';
import { AttemptField } from './AttemptField';
import { drawUsage } from './calls';
import { isEnd } from './state';

const FIGURE_HEIGHT = 240;

interface IDrawn {
  text: string;
  figures: [string, IFigure][];
}

export function JobResources(props: {
  job: JobRow;
  attempts: number;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { job } = props;
  const newest = Math.max(1, props.attempts);
  const [chosen, setChosen] = React.useState<number | null>(null);
  const attempt = chosen ?? newest;
  const isFinal = isEnd(job.state) || attempt < newest;
  const usage = useResource<IDrawn>(
    JSON.stringify(['usage', job.name, attempt, isFinal]),
    async (signal, known) => {
      if (known && isFinal) {
        return known;
      }
      const reply = await drawUsage(client, job.name, attempt, signal);
      const text = JSON.stringify(reply.figures);
      // The same object for the same curves, so that nothing is drawn again.
      return known?.text === text
        ? known
        : {
            text,
            figures: Object.entries(reply.figures).flatMap(
              ([name, figure]): [string, IFigure][] =>
                isFigure(figure) ? [[name, figure as IFigure]] : []
            )
          };
    }
  );
  return (
    <div className="atelier-Overview">
      <AttemptField
        attempts={props.attempts}
        value={chosen}
        onChange={setChosen}
      />
      <Loaded
        resource={usage}
        failure={trans.__('What it used could not be read')}
      >
        {({ figures }) =>
          figures.length === 0 ? (
            <EmptyState
              title={trans.__('No samples yet')}
              text={trans.__(
                'What a job uses is sampled twice a second while it runs; this attempt has fewer than two samples.'
              )}
            />
          ) : (
            <div className="atelier-Charts">
              {figures.map(([name, figure]) => (
                <Figure
                  key={name}
                  title={titleOf(figure, name)}
                  figure={figure}
                  height={FIGURE_HEIGHT}
                />
              ))}
            </div>
          )
        }
      </Loaded>
    </div>
  );
}

function titleOf(figure: IFigure, name: string): string {
  const { title } = figure.layout as { title?: { text?: string } };
  return title?.text ?? name;
}
