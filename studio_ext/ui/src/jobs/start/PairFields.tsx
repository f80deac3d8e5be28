/** Lines of a name and a value, added and removed: further parameters, and inputs. */
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button, InputField } from '../../components';
import { useStudio } from '../../frame';
import type { IPair } from './draft';
import type { IFields } from './fields';

export interface IPairFieldsProps extends IFields {
  part: 'further' | 'inputs';
  title?: string;
  help?: string;
  /** What name and value are called. */
  labels: [string, string];
  add: string;
  remove: string;
  /** What is wrong with all of them together. */
  wholeError?: string;
}

export function PairFields(props: IPairFieldsProps): React.ReactElement {
  const { trans } = useStudio();
  const { part, labels } = props;
  const pairs = props.draft[part];
  const set = (index: number, change: Partial<IPair>) =>
    props.change({
      [part]: pairs.map((pair, place) =>
        place === index ? { ...pair, ...change } : pair
      )
    });
  const error = props.wholeError ?? props.errorOf(part);
  return (
    <div
      className="atelier-Pairs"
      role="group"
      aria-label={props.title ?? labels[0]}
      data-fields={part}
    >
      {props.title && <h2>{props.title}</h2>}
      {props.help && <p className="atelier-muted">{props.help}</p>}
      {pairs.map((pair, index) => (
        <div className="atelier-Pair" key={index}>
          <InputField
            label={trans.__('%1 %2', labels[0], index + 1)}
            value={pair.name}
            onChange={name => set(index, { name })}
            error={props.errorOf(`${part}.${index}`)}
          />
          <InputField
            label={trans.__('%1 %2', labels[1], index + 1)}
            value={pair.value}
            onChange={value => set(index, { value })}
          />
          <button
            type="button"
            className="atelier-IconButton"
            aria-label={`${props.remove} ${index + 1}`}
            title={props.remove}
            onClick={() =>
              props.change({
                [part]: pairs.filter((_, place) => place !== index)
              })
            }
          >
            <closeIcon.react tag="span" width="16px" aria-hidden />
          </button>
        </div>
      ))}
      {error && (
        <div className="atelier-Field-error" role="alert">
          {error}
        </div>
      )}
      <Button
        label={props.add}
        onClick={() =>
          props.change({ [part]: [...pairs, { name: '', value: '' }] })
        }
      />
    </div>
  );
}
