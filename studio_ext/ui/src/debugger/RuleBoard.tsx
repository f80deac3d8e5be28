/** What every rule is doing: what was found, which rules are quiet, which do not apply and why. */
import * as React from 'react';

import type { RuleStatus } from '../api';
import { StateChip, StateMark } from '../components';
import { useStudio } from '../frame';
import { IBoard, IBoardFinding, SEVERITY_TONES } from './board';

export function RuleBoard(props: {
  board: IBoard;
  hasRules: boolean;
  selected: string | null;
  onSelect(id: string | null): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { board } = props;
  const { findings, watching, idle, failed } = board;
  if (!props.hasRules) {
    return (
      <p className="atelier-muted" role="status">
        {trans.__(
          'No rule has looked at this run. kt.debugger.evaluate("default", run) lets the rules look at it now.'
        )}
      </p>
    );
  }
  return (
    <section className="atelier-Board" aria-label={trans.__('Rules')}>
      {findings.length === 0 ? (
        <p role="status">
          <StateChip tone="good" label={trans.__('Nothing was found')} />
        </p>
      ) : (
        <ul className="atelier-Board-findings" aria-label={trans.__('Found')}>
          {findings.map(found => (
            <FoundRow
              key={found.id}
              found={found}
              isSelected={found.id === props.selected}
              onSelect={props.onSelect}
            />
          ))}
        </ul>
      )}
      <RuleLine
        label={trans._n(
          '%1 rule is quiet',
          '%1 rules are quiet',
          watching.length
        )}
        rules={watching}
      />
      <Reasons
        label={trans._n(
          '%1 rule does not apply',
          '%1 rules do not apply',
          idle.length
        )}
        rules={idle}
      />
      <Reasons
        label={trans._n('%1 rule failed', '%1 rules failed', failed.length)}
        rules={failed}
        isOpen
      />
    </section>
  );
}

function FoundRow(props: {
  found: IBoardFinding;
  isSelected: boolean;
  onSelect(id: string | null): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { found, isSelected } = props;
  const { finding, isFiring, id } = found;
  const labels = {
    error: trans.__('Error'),
    warning: trans.__('Warning'),
    hint: trans.__('Hint')
  };
  const last = Math.max(finding.last_step, finding.step);
  return (
    <li>
      <button
        type="button"
        className="atelier-Board-row"
        aria-expanded={isSelected}
        onClick={() => props.onSelect(isSelected ? null : id)}
      >
        <StateMark
          tone={SEVERITY_TONES[finding.severity]}
          label={labels[finding.severity]}
        />
        <strong className="atelier-ellipsis">{finding.rule}</strong>
        <span className="atelier-Board-message" title={finding.message}>
          {finding.message}
        </span>
        <span className="atelier-Board-steps">
          {last > finding.step
            ? trans.__(
                'steps %1–%2',
                finding.step.toLocaleString(),
                last.toLocaleString()
              )
            : trans.__('step %1', finding.step.toLocaleString())}
          {isFiring ? '' : `, ${trans.__('over')}`}
        </span>
      </button>
    </li>
  );
}

function RuleLine(props: {
  label: string;
  rules: RuleStatus[];
}): React.ReactElement | null {
  if (props.rules.length === 0) {
    return null;
  }
  return (
    <details className="atelier-Board-group">
      <summary>
        <StateChip tone="good" label={props.label} />
        <span className="atelier-muted atelier-ellipsis">
          {props.rules.map(({ rule }) => rule).join(', ')}
        </span>
      </summary>
      <dl>
        {props.rules.map(({ rule, summary, reason }) => (
          <React.Fragment key={rule}>
            <dt>{rule}</dt>
            <dd>{reason || summary}</dd>
          </React.Fragment>
        ))}
      </dl>
    </details>
  );
}

function Reasons(props: {
  label: string;
  rules: RuleStatus[];
  isOpen?: boolean;
}): React.ReactElement | null {
  if (props.rules.length === 0) {
    return null;
  }
  return (
    <details className="atelier-Board-group" open={props.isOpen}>
      <summary>
        <StateChip tone={props.isOpen ? 'bad' : 'plain'} label={props.label} />
        <span className="atelier-muted atelier-ellipsis">
          {props.rules.map(({ rule }) => rule).join(', ')}
        </span>
      </summary>
      <dl>
        {props.rules.map(({ rule, reason, summary }) => (
          <React.Fragment key={rule}>
            <dt title={summary}>{rule}</dt>
            <dd>{reason}</dd>
          </React.Fragment>
        ))}
      </dl>
    </details>
  );
}
