/** The variants that share an endpoint's requests. */
import * as React from 'react';

import type { VariantDetail } from '../api';
import { useStudio } from '../frame';

/** `onRemove` is offered where there are several. */
export function Variants(props: {
  variants: VariantDetail[];
  onRemove(variant: string): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const whole = props.variants.reduce((sum, one) => sum + one.weight, 0) || 1;
  const isShared = props.variants.length > 1;
  return (
    <section className="atelier-DataTable">
      <h2>{trans.__('Variants')}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Variant')}</th>
            <th scope="col">{trans.__('Model versions')}</th>
            <th scope="col">{trans.__('Answered by')}</th>
            <th scope="col">{trans.__('Part of the requests')}</th>
            <th scope="col">{trans.__('Workers')}</th>
            {isShared && <td />}
          </tr>
        </thead>
        <tbody>
          {props.variants.map(variant => (
            <tr key={variant.name}>
              <th scope="row">{variant.name}</th>
              <td>
                {variant.models.map((model, place) => (
                  <React.Fragment key={`${model}/${variant.versions[place]}`}>
                    {place > 0 && ' → '}
                    <button
                      type="button"
                      className="atelier-TextButton"
                      onClick={() =>
                        studio.open(`model/${model}/${variant.versions[place]}`)
                      }
                    >
                      {trans.__(
                        '%1 version %2',
                        model,
                        variant.versions[place]
                      )}
                    </button>
                  </React.Fragment>
                ))}
              </td>
              <td>{variant.engine}</td>
              <td>{`${Math.round((100 * variant.weight) / whole)} %`}</td>
              <td>
                {trans.__('%1 of %2 ready', variant.ready, variant.workers)}
              </td>
              {isShared && (
                <td>
                  <button
                    type="button"
                    className="atelier-TextButton"
                    aria-label={trans.__('Remove variant %1', variant.name)}
                    onClick={() => props.onRemove(variant.name)}
                  >
                    {trans.__('Remove')}
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
