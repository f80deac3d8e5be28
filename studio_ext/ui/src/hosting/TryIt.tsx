/** Rows to the endpoint and what it says: one by a form made from the signature, several or arrays as JSON. */
import * as React from 'react';

import type { EndpointDetail, EndpointRecord, InvocationReply } from '../api';
import {
  Button,
  CheckField,
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
  IAccess,
  asBoto3,
  asCurl,
  asPython,
  fieldsOf,
  isRow,
  problemOf,
  readQuestion,
  rowOf
} from './request';

export interface ITryItProps {
  endpoint: EndpointRecord;
  sample: EndpointDetail['sample'];
  signature: EndpointDetail['signature'];
  access: IAccess;
  /** What is asked at first; otherwise the first row of the sample. */
  given?: IQuestion;
}

export function TryIt(props: ITryItProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { access, endpoint, given, sample, signature } = props;
  const columns = signature?.columns ?? [];
  const isArray = Boolean(signature?.tensor);
  const [row, setRow] = React.useState(0);
  const [fields, setFields] = React.useState<Fields>(() =>
    fieldsOf(columns, given ? given.items[0] : sample[0])
  );
  const [text, setText] = React.useState(() =>
    given ? JSON.stringify(given.items, null, 2) : jsonOf(sample[0], isArray)
  );
  const hasForm = columns.length > 0;
  const [isText, setIsText] = React.useState(
    !hasForm || (given?.items.length ?? 0) > 1
  );
  const [showsCode, setShowsCode] = React.useState(false);
  const [reply, setReply] = React.useState<InvocationReply | null>(null);
  const action = useAction();

  const question: IQuestion | null = isText
    ? readQuestion(text, isArray)
    : { kind: 'records', items: [rowOf(columns, fields)] };
  const isComplete =
    question !== null &&
    (isText ||
      columns.every(column => !problemOf(column, fields[column.name] ?? '')));
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
  const toggleText = (asText: boolean) => {
    if (asText) {
      setText(JSON.stringify([rowOf(columns, fields)], null, 2));
    } else if (question) {
      setFields(fieldsOf(columns, question.items[0]));
    }
    setIsText(asText);
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
        {hasForm && (
          <CheckField
            label={trans.__('Several rows, as JSON')}
            isChecked={isText}
            onChange={toggleText}
          />
        )}
        {!isText ? (
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
        <Code endpoint={endpoint} question={question} access={access} />
      )}
    </section>
  );
}

/** The call as code, for three kinds of callers. */
function Code(props: {
  endpoint: EndpointRecord;
  question: IQuestion;
  access: IAccess;
}): React.ReactElement {
  const { trans } = useStudio();
  const { endpoint, question, access } = props;
  return (
    <div className="atelier-Try-code">
      {access.auth !== 'none' && (
        <p className="atelier-muted">
          {access.auth === 'token'
            ? trans.__(
                'kt.hosting.create_access_key(kind="token") issues a token; keep its secret in ATELIER_TOKEN.'
              )
            : trans.__(
                'kt.hosting.create_access_key() issues a key; keep its id and secret where AWS clients look for them.'
              )}
        </p>
      )}
      <CodeBlock
        label={trans.__('The call with curl')}
        code={asCurl(endpoint, question, access)}
      />
      <CodeBlock
        label={trans.__('The call in Python')}
        code={asPython(endpoint, question)}
      />
      {access.auth !== 'token' && (
        <CodeBlock
          label={trans.__('The call with boto3')}
          code={asBoto3(endpoint, question, access)}
        />
      )}
    </div>
  );
}

function jsonOf(item: unknown, isArray: boolean): string {
  const shown = item ?? {};
  return isArray
    ? JSON.stringify(item === undefined ? [] : [item])
    : JSON.stringify(shown, null, 2);
}
