/** What was captured of an endpoint's requests: each with its reply. */
import * as React from 'react';

import type { CapturedExchange } from '../api';
import {
  Button,
  CodeBlock,
  Drawer,
  EmptyState,
  ErrorBar,
  ErrorState,
  FactTable,
  IColumn,
  List,
  LoadingState,
  Time,
  formatBytes
} from '../components';
import { usePagedResource, useStudio } from '../frame';
import { listCaptures } from './calls';
import { IQuestion, readQuestion } from './request';

export interface ICapturesProps {
  name: string;
  /** Whether the model takes arrays, not rows of a table. */
  isArray: boolean;
  /** Ask again what was captured. */
  onUse(question: IQuestion): void;
}

export function Captures(props: ICapturesProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { name, isArray, onUse } = props;
  const [selected, setSelected] = React.useState<string | null>(null);
  const [sampling, setSampling] = React.useState<number | null>(null);
  const captures = usePagedResource<CapturedExchange>(
    `endpoint-captures/${name}`,
    capture => capture.id,
    async (query, signal) => {
      const page = await listCaptures(client, name, query, signal);
      const { sampling_percentage: percentage } = page;
      setSampling(percentage === null ? null : Number(percentage));
      return { items: page.captures, next: page.next_page_token };
    }
  );
  const { data, error } = captures;
  const columns: IColumn<CapturedExchange>[] = [
    {
      id: 'time',
      label: trans.__('Time'),
      width: 160,
      render: ({ time }) => <Time value={Date.parse(time)} />
    },
    {
      id: 'variant',
      label: trans.__('Variant'),
      width: 120,
      render: ({ variant }) => variant
    },
    {
      id: 'inference_id',
      label: trans.__('Inference id'),
      width: 140,
      render: ({ inference_id }) => inference_id,
      title: ({ inference_id }) => inference_id || undefined
    },
    {
      id: 'input',
      label: trans.__('Request'),
      width: 300,
      render: ({ input }) => glanceOf(input),
      title: ({ input }) => glanceOf(input) || undefined
    },
    {
      id: 'output',
      label: trans.__('Reply'),
      width: 300,
      render: ({ output }) => glanceOf(output),
      title: ({ output }) => glanceOf(output) || undefined
    }
  ];
  const shown = data?.find(({ id }) => id === selected);
  if (data === null) {
    return error ? (
      <ErrorState
        title={trans.__('The captures could not be read')}
        error={error}
        retry={captures.refresh}
      />
    ) : (
      <LoadingState rows={8} />
    );
  }
  if (data.length === 0) {
    return sampling === null ? (
      <EmptyState
        title={trans.__('Nothing is captured')}
        text={trans.__(
          'An endpoint can keep a part of its requests and replies, to look at them and to watch the model. Turn it on when it is deployed:'
        )}
        code={CAPTURE_CODE}
      />
    ) : (
      <EmptyState
        title={trans.__('Nothing was captured yet')}
        text={trans.__(
          '%1 % of the requests are captured; a file is written every few seconds.',
          sampling
        )}
      />
    );
  }
  return (
    <div className="atelier-EndpointTable">
      <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
      <div className="atelier-Split-columns">
        <List
          label={trans.__('Captures')}
          items={data}
          columns={columns}
          identify={({ id }) => id}
          selected={selected}
          onSelect={capture => setSelected(capture?.id ?? null)}
          hasMore={captures.hasMore}
          isLoadingMore={captures.isLoadingMore}
          onLoadMore={captures.loadMore}
        />
        {shown && (
          <CaptureDrawer
            capture={shown}
            isArray={isArray}
            onUse={onUse}
            onClose={() => setSelected(null)}
          />
        )}
      </div>
    </div>
  );
}

const CAPTURE_CODE = `kt.hosting.deploy(
    "my-model",
    name="my-endpoint",
    capture=kt.hosting.CaptureConfig(sampling_percentage=20),
)`;

function CaptureDrawer(
  props: Pick<ICapturesProps, 'isArray' | 'onUse'> & {
    capture: CapturedExchange;
    onClose(): void;
  }
): React.ReactElement {
  const { trans } = useStudio();
  const { capture } = props;
  const question =
    capture.input?.encoding === 'JSON'
      ? readQuestion(capture.input.data ?? '', props.isArray)
      : null;
  return (
    <Drawer
      label={trans.__('The captured request')}
      title={capture.inference_id || capture.id}
      onClose={props.onClose}
    >
      <FactTable
        caption={trans.__('Facts')}
        empty=""
        facts={[
          {
            name: trans.__('Time'),
            value: <Time value={Date.parse(capture.time)} />
          },
          { name: trans.__('Variant'), value: capture.variant },
          { name: trans.__('Event'), value: capture.id, title: capture.id },
          ...(capture.custom_attributes
            ? [
                {
                  name: trans.__('Custom attributes'),
                  value: capture.custom_attributes,
                  title: capture.custom_attributes
                }
              ]
            : [])
        ]}
      />
      {question && (
        <div className="atelier-Buttons">
          <Button
            label={trans.__('Try it with this')}
            onClick={() => props.onUse(question)}
          />
        </div>
      )}
      <Side label={trans.__('Request')} side={capture.input} />
      <Side label={trans.__('Reply')} side={capture.output} />
    </Drawer>
  );
}

function Side(props: {
  label: string;
  side: CapturedExchange['input'];
}): React.ReactElement {
  const { trans } = useStudio();
  const { label, side } = props;
  return (
    <section aria-label={label}>
      <h3>{side ? `${label}: ${side.observedContentType}` : label}</h3>
      {side === null ? (
        <p className="atelier-muted">{trans.__('It was not captured.')}</p>
      ) : side.encoding === 'BASE64' ? (
        <p className="atelier-muted">
          {trans.__(
            'Binary, %1.',
            formatBytes(Math.floor(((side.data ?? '').length * 3) / 4))
          )}
        </p>
      ) : (
        <CodeBlock label={label} code={prettyOf(side)} />
      )}
    </section>
  );
}

/** The beginning of a body, on one line. */
function glanceOf(side: CapturedExchange['input']): string {
  if (!side) {
    return '';
  }
  return side.encoding === 'BASE64'
    ? (side.observedContentType ?? '')
    : (side.data ?? '').slice(0, 200).replace(/\s+/g, ' ');
}

/** A body as it is read best: JSON indented, all else as it is. */
export function prettyOf(side: { [name: string]: string }): string {
  try {
    return side.encoding === 'JSON'
      ? JSON.stringify(JSON.parse(side.data), null, 2)
      : (side.data ?? '');
  } catch {
    return side.data;
  }
}
