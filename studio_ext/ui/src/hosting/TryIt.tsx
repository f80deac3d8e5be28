/** One row to the endpoint and what it says: a form made from the signature, or JSON where there is no table. */
import * as React from 'react';

import type { EndpointDetail, EndpointRecord, InvocationReply } from '../api';
import {
  Button,
  CodeBlock,
  ErrorBar,
  SelectField,
  TextAreaField,
  useAction
} from '../components';
import { useStudio } from '../frame';
import { Result } from './Result';
import { RowForm } from './RowForm';
import {
  Fields,
  IQuestion,
  asCurl,
  asPython,
  fieldsOf,
  isRow,
  problemOf,
  rowOf
} from './request';

export interface ITryItProps {
  endpoint: EndpointRecord;
  sample: EndpointDetail['sample'];
  signature: EndpointDetail['signature'];
}

export function TryIt(props: ITryItProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { endpoint, sample, signature } = props;
  const columns = signature?.columns ?? [];
  const isArray = Boolean(signature?.tensor);
  const [row, setRow] = React.useState(0);
  const [fields, setFields] = React.useState<Fields>(() =>
    fieldsOf(columns, sample[0])
  );
  const [text, setText] = React.useState(() => jsonOf(sample[0], isArray));
  const [showsCode, setShowsCode] = React.useState(false);
  const [reply, setReply] = React.useState<InvocationReply | null>(null);
  const action = useAction();

  const question: IQuestion | null =
    columns.length > 0
      ? { kind: 'records', items: [rowOf(columns, fields)] }
      : parseQuestion(text, isArray);
  const isComplete =
    question !== null &&
    columns.every(column => !problemOf(column, fields[column.name] ?? ''));
  const isUp = endpoint.url !== null;
  const canSend = isUp && isComplete && !action.isBusy;

  const send = async ({ kind, items }: IQuestion) => {
    setReply(null);
    const [records, instances] =
      kind === 'records' ? [items.filter(isRow), []] : [[], items];
    await action.run(async () =>
      setReply(await client.invoke(endpoint.name, { records, instances }))
    );
  };
  const fill = (index: number) => {
    setRow(index);
    setFields(fieldsOf(columns, sample[index]));
    setText(jsonOf(sample[index], isArray));
  };
  return (
    <section className="atelier-Try" aria-label={trans.__('Try it')}>
      <h2>{trans.__('Try it')}</h2>
      <form
        noValidate
        onSubmit={event => {
          event.preventDefault();
          if (canSend) {
            void send(question);
          }
        }}
      >
        {sample.length > 1 && (
          <div className="atelier-Form">
            <SelectField
              label={trans.__('Fill in from')}
              value={String(row)}
              onChange={value => fill(Number(value))}
              options={sample.map((_, index) => ({
                value: String(index),
                label: trans.__('Sample row %1', index + 1)
              }))}
            />
          </div>
        )}
        {columns.length > 0 ? (
          <RowForm
            columns={columns}
            fields={fields}
            onChange={(name, value) => setFields({ ...fields, [name]: value })}
          />
        ) : (
          <TextAreaField
            label={
              isArray
                ? trans.__('A list of arrays, as JSON')
                : trans.__('One record, or a list of them, as JSON')
            }
            value={text}
            onChange={setText}
            error={question ? undefined : trans.__('This is not such JSON.')}
          />
        )}
        <div className="atelier-Buttons">
          <button
            type="submit"
            className="atelier-Button"
            data-kind="primary"
            disabled={!canSend}
          >
            {action.isBusy ? trans.__('Asking…') : trans.__('Predict')}
          </button>
          <Button
            label={
              showsCode ? trans.__('Hide the code') : trans.__('Show as code')
            }
            onClick={() => setShowsCode(!showsCode)}
          />
          <span className="atelier-muted">
            {isUp ? '' : trans.__('The endpoint is not in service.')}
          </span>
        </div>
      </form>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {reply && <Result reply={reply} />}
      {showsCode && question && (
        <div className="atelier-Try-code">
          <CodeBlock
            label={trans.__('The call with curl')}
            code={asCurl(endpoint, question)}
          />
          <CodeBlock
            label={trans.__('The call in Python')}
            code={asPython(endpoint, question)}
          />
        </div>
      )}
    </section>
  );
}

function jsonOf(item: unknown, isArray: boolean): string {
  const shown = item ?? {};
  return isArray
    ? JSON.stringify(item === undefined ? [] : [item])
    : JSON.stringify(shown, null, 2);
}

/** Read what was typed; null if it is no question to the model. */
function parseQuestion(text: string, isArray: boolean): IQuestion | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (isArray) {
    return Array.isArray(value) ? { kind: 'instances', items: value } : null;
  }
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.every(isRow) ? { kind: 'records', items } : null;
}
