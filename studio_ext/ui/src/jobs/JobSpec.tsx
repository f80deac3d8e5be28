/** What a job was told: as facts, and whole as JSON. */
import * as React from 'react';

import type { JobDetail } from '../api';
import {
  Button,
  Code,
  FactTable,
  FilteredFacts,
  IFact,
  formatBytes,
  formatDuration
} from '../components';
import { useStudio } from '../frame';

interface ISpec {
  entry: { kind: string; target: string; arguments: string[] };
  params: { [name: string]: unknown };
  inputs: { [channel: string]: { path: string; sha256: string; size: number } };
  environment: { [name: string]: string };
  secrets: { [name: string]: string };
  packages: { [name: string]: string };
  tags: { [name: string]: string };
  resources: { cpus: number | null; memory: number | null; processes: number };
  spot: { max_wait: number | null; notice: number } | null;
  checkpoint: { every: number; keep: number };
  retries: { errors: number; lost: number };
  max_runtime: number | null;
  grace: number;
  priority: number;
  launcher: string;
  python: string;
  source_sha256: string;
  source_origin: string;
}

export function JobSpec(props: { detail: JobDetail }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { detail } = props;
  // The server writes it from `JobSpec`, whose version it checks.
  const spec = detail.spec as unknown as ISpec;
  const json = JSON.stringify(detail.spec, null, 2);
  const texts = (values: { [name: string]: unknown }) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value)
      ])
    );
  return (
    <div className="atelier-Overview">
      <div className="atelier-Columns">
        <FactTable
          caption={trans.__('What runs')}
          facts={entryFacts(spec, trans)}
          empty=""
        />
        <FactTable
          caption={trans.__('How it runs')}
          facts={limitFacts(spec, detail.limits, trans)}
          empty=""
        />
      </div>
      <div className="atelier-Columns">
        <FilteredFacts
          caption={trans.__('Parameters')}
          values={texts(spec.params)}
          empty={trans.__('No parameters.')}
        />
        <FactTable
          caption={trans.__('Inputs')}
          facts={Object.entries(spec.inputs).map(([channel, data]) => ({
            name: channel,
            value: `${data.path} (${formatBytes(data.size)})`,
            title: `sha256 ${data.sha256}`
          }))}
          empty={trans.__('No inputs.')}
        />
      </div>
      <div className="atelier-Columns">
        <FilteredFacts
          caption={trans.__('Environment')}
          values={{ ...spec.environment, ...spec.secrets }}
          empty={trans.__('Nothing was taken over.')}
        />
        <FilteredFacts
          caption={trans.__('Packages')}
          values={spec.packages}
          empty={trans.__('No packages are known.')}
        />
      </div>
      <details>
        <summary>{trans.__('As JSON')}</summary>
        <div className="atelier-Buttons">
          <Button
            label={trans.__('Copy JSON')}
            onClick={() => void studio.copy(json)}
          />
        </div>
        <Code code={json} language="json" />
      </details>
    </div>
  );
}

type Trans = ReturnType<typeof useStudio>['trans'];

function entryFacts(spec: ISpec, trans: Trans): IFact[] {
  const facts: [string, string][] = [
    [trans.__('Kind'), spec.entry.kind],
    [trans.__('Entry'), spec.entry.target],
    [trans.__('Arguments'), spec.entry.arguments.join(' ')],
    [trans.__('Source'), spec.source_origin],
    [trans.__('sha256 of the source'), spec.source_sha256],
    [trans.__('Python'), spec.python]
  ];
  return toFacts(facts);
}

function limitFacts(
  spec: ISpec,
  limits: JobDetail['limits'],
  trans: Trans
): IFact[] {
  const held = (name: string) => (limits[name] ? ` (${limits[name]})` : '');
  const seconds = (value: number | null) =>
    value === null ? trans.__('no limit') : formatDuration(value * 1000);
  const { resources, spot, checkpoint, retries } = spec;
  return toFacts([
    [trans.__('Launcher'), spec.launcher],
    [
      trans.__('Processors'),
      `${resources.cpus ?? trans.__('all')}${held('cpus')}`
    ],
    [
      trans.__('Memory'),
      `${resources.memory === null ? trans.__('no limit') : formatBytes(resources.memory)}${held('memory')}`
    ],
    [trans.__('Longest run'), seconds(spec.max_runtime)],
    [
      trans.__('Spot'),
      spot
        ? trans.__(
            'notice %1, longest wait %2',
            seconds(spot.notice),
            seconds(spot.max_wait)
          )
        : trans.__('no')
    ],
    [
      trans.__('Checkpoints'),
      trans.__(
        'every %1, %2 are kept',
        seconds(checkpoint.every),
        checkpoint.keep
      )
    ],
    [
      trans.__('Retries'),
      trans.__('%1 after errors, %2 after losses', retries.errors, retries.lost)
    ],
    [trans.__('Grace when stopped'), seconds(spec.grace)],
    [trans.__('Priority'), String(spec.priority)]
  ]);
}

function toFacts(pairs: [string, string][]): IFact[] {
  return pairs
    .filter(([, value]) => value)
    .map(([name, value]) => ({ name, value, title: value }));
}
