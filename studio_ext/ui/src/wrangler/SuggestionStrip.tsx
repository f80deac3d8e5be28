/** Steps that the data itself suggests, above its rows: found by the quick checks once the rows are there. */
import * as React from 'react';

import { Button, formatCount } from '../components';
import { useStudio } from '../frame/context';
import { runTask } from './calls';
import type { IFinding, IReport, ISuggestion } from './InsightsTab';

/** Checks that need no model. */
const QUICK = [
  'missing',
  'disguised_missing',
  'infinite',
  'mixed_types',
  'constant',
  'near_constant',
  'id_like',
  'high_cardinality',
  'duplicate_rows',
  'outliers',
  'inconsistent_text'
];

/** Larger tables are looked at only when somebody asks: the rows on screen come first. */
const MOST_ROWS = 2_000_000;

const SHOWN = 3;
/** Milliseconds of rest before the checks begin: the rows come first. */
const DELAY = 1000;

export interface ISuggestionStripProps {
  session: string;
  node: string;
  version: number;
  onApply(suggestion: ISuggestion): void;
}

export function SuggestionStrip(
  props: ISuggestionStripProps
): React.ReactElement | null {
  const { client, trans } = useStudio();
  const { session, node, version } = props;
  const [findings, setFindings] = React.useState<IFinding[]>([]);
  const [dismissed, setDismissed] = React.useState<string[]>([]);
  const [isOpen, setOpen] = React.useState(true);
  const [isWhole, setWhole] = React.useState(false);

  React.useEffect(() => {
    if (!isOpen) {
      return;
    }
    const abort = new AbortController();
    setFindings([]);
    const timer = window.setTimeout(() => {
      runTask<IReport>(
        client,
        session,
        'insights',
        { node, checks: QUICK, most_rows: MOST_ROWS },
        { signal: abort.signal }
      )
        .then(report => setFindings(report.findings))
        // What cannot be checked is said by the rows themselves and by the tab of insights.
        .catch(() => setFindings([]));
    }, DELAY);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [client, session, node, version, isOpen]);

  const offers = findings.filter(
    finding => finding.suggestions.length > 0 && !dismissed.includes(finding.id)
  );
  if (isOpen && offers.length === 0) {
    return null;
  }
  const shown = isWhole ? offers : offers.slice(0, SHOWN);
  return (
    <section
      className="atelier-Suggestions"
      aria-label={trans.__('Suggested next steps')}
    >
      <button
        type="button"
        className="atelier-TextButton"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen
          ? trans.__('Suggested next steps')
          : trans.__('Show suggested next steps')}
      </button>
      {isOpen && (
        <ul>
          {shown.map(finding => (
            <li key={finding.id} data-severity={finding.severity}>
              <span title={finding.message}>
                <strong>{finding.title}</strong>
                {finding.columns.length > 0 &&
                  ` · ${finding.columns.slice(0, 3).join(', ')}`}
                {!finding.exact &&
                  ` · ${trans.__('≈ from %1 rows', formatCount(finding.n))}`}
              </span>
              <Button
                label={finding.suggestions[0].op.replace(/_/g, ' ')}
                description={trans.__(
                  '%1: %2',
                  finding.message,
                  finding.suggestions[0].reason
                )}
                title={finding.suggestions[0].reason}
                onClick={() => props.onApply(finding.suggestions[0])}
              />
              <button
                type="button"
                className="atelier-IconButton"
                aria-label={trans.__('Do not suggest this: %1', finding.title)}
                onClick={() => setDismissed([...dismissed, finding.id])}
              >
                ×
              </button>
            </li>
          ))}
          {offers.length > SHOWN && (
            <li>
              <Button
                label={
                  isWhole
                    ? trans.__('Fewer')
                    : trans.__('%1 more', offers.length - SHOWN)
                }
                onClick={() => setWhole(!isWhole)}
              />
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
