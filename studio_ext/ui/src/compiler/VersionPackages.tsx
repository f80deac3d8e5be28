/** What a version was compiled to: time, memory and answers of each target against the original. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type {
  PackageLine,
  PackageList,
  PackageReply,
  VersionRecord
} from '../api';
import {
  Answers,
  Button,
  EmptyState,
  ErrorBar,
  Figure,
  LinkChip,
  Loaded,
  Time,
  ask,
  confirmLoss,
  formatBytes,
  formatNumber,
  useAction
} from '../components';
import { jobsIcon, useResource, useStudio } from '../frame';
import { compileVersion, deletePackage, listPackages } from './calls';

export function VersionPackages(props: {
  version: VersionRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { version } = props;
  const list = useResource<PackageList>(
    `packages/${version.model}/${version.version}`,
    signal => listPackages(client, version, signal)
  );
  return (
    <>
      <Compile version={version} />
      <Loaded
        resource={list}
        failure={trans.__('The compiled packages could not be read')}
        rows={6}
      >
        {data =>
          data.packages.length ? (
            <>
              {data.packages.map(item => (
                <Package key={item.id} version={version} item={item} />
              ))}
              {data.total > data.packages.length && (
                <p className="atelier-muted">
                  {trans.__(
                    'The newest %1 of %2 packages are shown.',
                    data.packages.length,
                    data.total
                  )}
                </p>
              )}
            </>
          ) : (
            <NothingCompiled version={version} />
          )
        }
      </Loaded>
    </>
  );
}

/** Begin to compile, and lead to the job that does it. */
function Compile(props: { version: VersionRecord }): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { version } = props;
  const [job, setJob] = React.useState<string | null>(null);
  const action = useAction();
  const begin = async (): Promise<void> => {
    const answers = await askCompile(version, trans);
    if (answers) {
      await action.run(async () => {
        const reply = await compileVersion(client, version, {
          target: answers.target,
          sample: answers.sample,
          trust: answers.trust === 'yes'
        });
        setJob(reply.job);
      });
    }
  };
  return (
    <>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div className="atelier-Buttons">
        <Button
          label={trans.__('Compile…')}
          isBusy={action.isBusy}
          onClick={() => void begin()}
        />
        {job && (
          <LinkChip
            icon={jobsIcon}
            label={trans.__('The job that compiles')}
            path={`job/${job}`}
          />
        )}
      </div>
    </>
  );
}

function askCompile(
  version: VersionRecord,
  trans: TranslationBundle
): Promise<Answers | null> {
  const hasSample = version.sample.length > 0;
  return ask({
    title: trans.__('Compile %1 version %2', version.model, version.version),
    text: trans.__(
      'A job makes the package, compares its answers with the original, and measures both.'
    ),
    accept: trans.__('Compile'),
    questions: [
      {
        name: 'target',
        label: trans.__('Target'),
        kind: 'choice',
        value: 'auto',
        choices: [
          { value: 'auto', label: trans.__('The quickest that passes') },
          { value: 'onnx', label: 'onnx' },
          { value: 'onnx-int8', label: trans.__('onnx-int8, for networks') }
        ]
      },
      {
        name: 'sample',
        label: trans.__('File of rows to compare on'),
        placeholder: '/data/sample.parquet',
        isRequired: !hasSample,
        help: hasSample
          ? trans.__(
              'Empty takes the rows that the version was registered with.'
            )
          : trans.__('CSV, Parquet or NPY on the server.')
      },
      {
        name: 'trust',
        label: trans.__('Restore classes that could execute code'),
        kind: 'check'
      }
    ]
  });
}

function NothingCompiled(props: {
  version: VersionRecord;
}): React.ReactElement {
  const { trans } = useStudio();
  const { model, version } = props.version;
  return (
    <EmptyState
      title={trans.__('Not compiled yet')}
      text={trans.__(
        'A compiled version answers like the original, in a fraction of the time and memory. Compile it here or in a notebook; the result is shown on this page.'
      )}
      code={[
        'import kernel_tools as kt',
        `version = kt.registry.get(${JSON.stringify(model)}, version=${version})`,
        'kt.compiler.compile(version, sample=X)'
      ].join('\n')}
    />
  );
}

function Package(props: {
  version: VersionRecord;
  item: PackageReply;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { version, item } = props;
  const action = useAction();
  const remove = async (): Promise<void> => {
    const isSure = await confirmLoss({
      title: trans.__('Delete the package %1?', item.target),
      text: trans.__(
        'Its %1 are lost. The version itself stays, and can be compiled again.',
        formatBytes(item.size)
      ),
      keep: trans.__('Keep it'),
      lose: trans.__('Delete')
    });
    if (isSure) {
      await action.run(() => deletePackage(client, version, item.id));
    }
  };
  return (
    <section className="atelier-DataTable atelier-Package">
      <div className="atelier-Header-line">
        <h2>{item.target}</h2>
        <span className="atelier-muted">
          <Time value={item.created_at} /> · {item.created_by} ·{' '}
          {formatBytes(item.size)}
          {item.opset !== null && ` · ${trans.__('opset %1', item.opset)}`}
        </span>
        <Button
          label={trans.__('Delete')}
          title={trans.__('Delete the package %1', item.target)}
          isDisabled={action.isBusy}
          onClick={() => void remove()}
        />
      </div>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <Comparison item={item} />
      <p className="atelier-muted">
        {trans.__(
          '%1 rows compared, tolerance %2. Measured on %3, %4 cores.',
          item.rows,
          item.tolerance,
          String(item.machine.processor ?? '?'),
          String(item.machine.cores ?? '?')
        )}
      </p>
      {item.notes.map(note => (
        <p key={note}>{note}</p>
      ))}
      <Figure figure={item.figure} title={trans.__('Cost of one row')} />
    </section>
  );
}

function Comparison(props: { item: PackageReply }): React.ReactElement {
  const { trans } = useStudio();
  const { item } = props;
  return (
    <table aria-label={trans.__('Comparison with the original')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Target')}</th>
          <th scope="col" className="atelier-number">
            {trans.__('One row, µs')}
          </th>
          <th scope="col" className="atelier-number">
            {trans.__('Row of a batch, µs')}
          </th>
          <th scope="col" className="atelier-number">
            {trans.__('Memory, MiB')}
          </th>
          <th scope="col" className="atelier-number">
            {trans.__('Start, s')}
          </th>
          <th scope="col" className="atelier-number">
            {trans.__('Greatest difference')}
          </th>
          <th scope="col">{trans.__('Answers')}</th>
        </tr>
      </thead>
      <tbody>
        {item.candidates.map(line => (
          <tr key={line.target} data-chosen={line.is_chosen}>
            <th scope="row">
              {line.target}
              {line.is_chosen && (
                <>
                  {' '}
                  <strong>{trans.__('chosen')}</strong>
                </>
              )}
            </th>
            <Measured value={line.row_us} />
            <Measured value={line.batch_us} />
            <Measured value={line.memory_mib} />
            <Measured value={line.load_s} />
            <Measured value={line.max_difference} />
            <td>
              <Answers line={line} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Measured(props: { value: number | null }): React.ReactElement {
  const { value } = props;
  return (
    <td
      className="atelier-number"
      title={value === null ? undefined : String(value)}
    >
      {value === null ? '–' : formatNumber(value)}
    </td>
  );
}

/** What is said of a line's answers, in words. */
function Answers(props: { line: PackageLine }): React.ReactElement {
  const { trans } = useStudio();
  const { line } = props;
  if (line.refusal) {
    return <>{trans.__('Refused: %1', line.refusal)}</>;
  }
  if (line.max_difference === null) {
    return <></>;
  }
  const said: string[] = [];
  if (line.labels_changed) {
    said.push(trans.__('%1 labels changed', line.labels_changed));
  }
  if (line.ties) {
    said.push(trans.__('%1 ties decided otherwise', line.ties));
  }
  if (line.loss !== null) {
    said.push(trans.__('%1 % of the accuracy lost', percent(line.loss)));
  } else if (line.agreement !== null && line.agreement < 1) {
    said.push(trans.__('agrees on %1 %', percent(line.agreement)));
  }
  return <>{said.length ? said.join(', ') : trans.__('the same')}</>;
}

function percent(share: number): string {
  return formatNumber(Math.round(share * 10000) / 100);
}
