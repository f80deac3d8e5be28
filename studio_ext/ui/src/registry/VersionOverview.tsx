/** What a version is: the decision, its description, the numbers of its run, its signature, sample and libraries. */
import * as React from 'react';

import type { RunRecord, VersionDetail, VersionRecord } from '../api';
import {
  FactTable,
  FilteredFacts,
  Grid,
  IFact,
  MarkdownField,
  TagEditor,
  Time,
  formatBytes,
  metricFacts,
  rowsSource,
  textFacts
} from '../components';
import { useStudio } from '../frame';
import { SignatureTable } from './VersionTables';
import { changeVersion } from './calls';
import { needsTrust } from './deployment';

const METRICS_SHOWN = 200;

export function VersionOverview(props: {
  detail: VersionDetail;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { version, run } = props.detail;
  return (
    <div className="atelier-Overview">
      {version.decided_at !== null && <Decision version={version} />}
      {needsTrust(version) && <TrustNotice version={version} />}
      <MarkdownField
        label={trans.__('Description')}
        value={version.description}
        empty={trans.__('No description yet.')}
        onSave={description => changeVersion(client, version, { description })}
      />
      <RunNumbers run={run} />
      <div className="atelier-Columns">
        <FactTable
          caption={trans.__('Facts')}
          facts={useVersionFacts(version)}
          empty=""
        />
        <FactTable
          caption={trans.__('Libraries')}
          facts={textFacts(version.libraries)}
          empty={trans.__('No libraries were noted.')}
        />
        <TagEditor
          tags={version.tags}
          onChange={tags => changeVersion(client, version, { tags })}
        />
      </div>
      <SignatureTable signature={version.signature} />
      <Sample version={version} />
    </div>
  );
}

function Decision(props: { version: VersionRecord }): React.ReactElement {
  const { trans } = useStudio();
  const { version } = props;
  return (
    <p className="atelier-Decision">
      {version.status === 'Approved'
        ? trans.__('Approved by %1', version.decided_by ?? '?')
        : version.status === 'Rejected'
          ? trans.__('Rejected by %1', version.decided_by ?? '?')
          : trans.__(
              'Put back to waiting by %1',
              version.decided_by ?? '?'
            )}{' '}
      <Time value={version.decided_at ?? version.created_at} />
      {version.note && (
        <>
          {': '}
          <q>{version.note}</q>
        </>
      )}
    </p>
  );
}

function TrustNotice(props: { version: VersionRecord }): React.ReactElement {
  const { trans } = useStudio();
  const { version } = props;
  return (
    <p className="atelier-Reason">
      {version.has_code
        ? trans.__(
            'Custom code: loading it runs code that its files bring. Load it only if you trust its author.'
          )
        : trans.__(
            'Loading it runs code of these types, so load it only if you trust its author: %1',
            version.untrusted_types.join(', ')
          )}
    </p>
  );
}

function RunNumbers(props: { run: RunRecord | null }): React.ReactElement {
  const { trans } = useStudio();
  const { run } = props;
  const none = trans.__('It was registered without a run.');
  return (
    <div className="atelier-Columns">
      <FactTable
        caption={trans.__('Metrics of its run')}
        facts={metricFacts(run?.metrics ?? {}).slice(0, METRICS_SHOWN)}
        empty={run ? trans.__('The run logged no metrics.') : none}
      />
      <FilteredFacts
        caption={trans.__('Parameters of its run')}
        values={run?.params ?? {}}
        empty={run ? trans.__('The run logged no parameters.') : none}
      />
    </div>
  );
}

function useVersionFacts(version: VersionRecord): IFact[] {
  const { trans } = useStudio();
  const size = version.files.reduce((sum, file) => sum + file.size, 0);
  const facts: IFact[] = [
    { name: trans.__('Format'), value: version.format },
    {
      name: trans.__('Class'),
      value: version.model_class || '—',
      title: version.model_class
    },
    {
      name: trans.__('Size'),
      value: formatBytes(size),
      title: trans.__('%1 bytes', size)
    },
    { name: trans.__('Licence'), value: version.licence || '—' },
    { name: trans.__('Stage'), value: version.stage },
    {
      name: trans.__('Custom code'),
      value: version.has_code ? trans.__('yes') : trans.__('no')
    }
  ];
  if (version.source) {
    facts.push({
      name: trans.__('Made from'),
      value: version.source,
      title: version.source
    });
  }
  return facts;
}

function Sample(props: { version: VersionRecord }): React.ReactElement | null {
  const { trans } = useStudio();
  const { sample, signature } = props.version;
  const text = JSON.stringify(sample);
  const source = React.useMemo(() => {
    const names = signature?.columns.map(({ name }) => name) ?? [];
    const columns = names.length > 0 ? names : Object.keys(Object(sample[0]));
    return rowsSource(columns, sample);
  }, [text]);
  return sample.length > 0 ? (
    <section>
      <h2>{trans.__('Sample input')}</h2>
      <Grid label={trans.__('Sample input')} source={source} />
    </section>
  ) : null;
}
