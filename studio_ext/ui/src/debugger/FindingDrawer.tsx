/** One finding: what shows it, why it matters, and what can be done, with code to put into a notebook. */
import * as React from 'react';

import type { Advice, EvidenceRequest, RunRecord, TakenAction } from '../api';
import {
  Button,
  CodeBlock,
  Drawer,
  FactTable,
  IFact,
  formatExact,
  formatNumber
} from '../components';
import { useStudio } from '../frame';
import { CaptureFigure } from './CaptureFigure';
import type { IBoardFinding } from './board';

export function FindingDrawer(props: {
  run: RunRecord;
  found: IBoardFinding;
  /** What was done because something was found. */
  actions: TakenAction[];
  version: number;
  isFinal: boolean;
  onClose(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { found, run } = props;
  const { finding, rule } = found;
  const actions = props.actions.filter(action => action.finding === found.id);
  const advice = finding.advice;
  const { figure, ...given } = finding.evidence;
  return (
    <Drawer
      label={trans.__('Details of the finding')}
      title={finding.rule}
      onClose={props.onClose}
    >
      <p>{finding.message}</p>
      <p className="atelier-muted">
        {[rule.summary, rule.reason].filter(part => part).join(' ')}
      </p>
      {typeof figure === 'string' && (
        <CaptureFigure
          run={run}
          title={trans.__('Evidence')}
          request={{ figure, arguments: given as Partial<EvidenceRequest> }}
          version={props.version}
          isFinal={props.isFinal}
          height={240}
        />
      )}
      {advice.length > 0 && (
        <section aria-label={trans.__('What to do')}>
          <h3>{trans.__('What to do')}</h3>
          <ol className="atelier-Advice">
            {advice.map(item => (
              <AdviceItem key={item.title} advice={item} />
            ))}
          </ol>
        </section>
      )}
      {actions.length > 0 && (
        <FactTable
          caption={trans.__('What was done')}
          facts={actions.map(({ action, result }) => ({
            name: action,
            value: result,
            title: result
          }))}
          empty=""
        />
      )}
      <FindingFacts found={found} />
    </Drawer>
  );
}

function AdviceItem(props: { advice: Advice }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { title, reason, patch, seconds } = props.advice;
  return (
    <li>
      <strong>{title}</strong>
      <p>
        {reason}
        {typeof seconds === 'number' &&
          ` ${trans.__('It would have saved %1 s so far.', formatNumber(seconds))}`}
      </p>
      {patch && (
        <>
          <CodeBlock code={patch} label={trans.__('Code of “%1”', title)} />
          <Button
            kind="primary"
            label={trans.__('Insert fix as cell')}
            description={trans.__('Insert fix as cell: %1', title)}
            onClick={() => void studio.insertCell(patch)}
          />
        </>
      )}
    </li>
  );
}

function FindingFacts(props: { found: IBoardFinding }): React.ReactElement {
  const { trans } = useStudio();
  const { finding, isFiring } = props.found;
  const facts: IFact[] = [
    {
      name: trans.__('State'),
      value: isFiring ? trans.__('goes on') : trans.__('is over')
    },
    {
      name: trans.__('First seen'),
      value: trans.__('step %1', finding.step.toLocaleString())
    },
    {
      name: trans.__('Seen'),
      value: trans._n('%1 time', '%1 times', finding.count)
    }
  ];
  if (finding.tensor) {
    facts.push({ name: trans.__('Tensor'), value: finding.tensor });
  }
  const numbers: [string, Parameters<typeof formatNumber>[0] | undefined][] = [
    [trans.__('Value'), finding.value ?? undefined],
    [trans.__('Limit'), finding.threshold ?? undefined]
  ];
  for (const [name, value] of numbers) {
    if (value !== undefined) {
      facts.push({
        name,
        value: formatNumber(value),
        title: formatExact(value),
        isNumber: true
      });
    }
  }
  return <FactTable caption={trans.__('Facts')} facts={facts} empty="" />;
}
