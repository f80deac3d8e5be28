/** A text in Markdown that can be edited in place, with a preview, and that overwrites nobody else's change unseen. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import { Button, useAction } from './Button';
import { TextAreaField } from './Form';
import { Markdown } from './Markdown';
import { ErrorBar } from './State';

export interface IMarkdownFieldProps {
  label: string;
  value: string;
  empty: string;
  isReadOnly?: boolean;
  /** Keep a text; `before` is the one that the user began with. Throws if it cannot be kept. */
  onSave(text: string, before: string): Promise<unknown>;
}

export function MarkdownField(props: IMarkdownFieldProps): React.ReactElement {
  const { trans } = useStudio();
  const [before, setBefore] = React.useState<string | null>(null);
  const { label, value } = props;
  return (
    <section className="atelier-MarkdownField" aria-label={label}>
      <div className="atelier-Header-line">
        <h2>{label}</h2>
        {before === null && !props.isReadOnly && (
          <button
            type="button"
            className="atelier-TextButton"
            aria-label={trans.__('Edit %1', label)}
            onClick={() => setBefore(value)}
          >
            {value ? trans.__('Edit') : trans.__('Write')}
          </button>
        )}
      </div>
      {before !== null ? (
        <Editor
          {...props}
          before={before}
          onRebase={() => setBefore(value)}
          onClose={() => setBefore(null)}
        />
      ) : value ? (
        <Markdown text={value} />
      ) : (
        <p className="atelier-muted">{props.empty}</p>
      )}
    </section>
  );
}

function Editor(
  props: IMarkdownFieldProps & {
    before: string;
    onRebase(): void;
    onClose(): void;
  }
): React.ReactElement {
  const { trans } = useStudio();
  const { label, value, before } = props;
  const [text, setText] = React.useState(before);
  const [isPreview, setPreview] = React.useState(false);
  const action = useAction();
  const isStale = value !== before;
  const save = async () => {
    if (await action.run(() => props.onSave(text, before))) {
      props.onClose();
    }
  };
  return (
    <form
      className="atelier-MarkdownField-editor"
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          void save();
        }
      }}
    >
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {isStale && (
        <div className="atelier-Reason" role="alert">
          <p>
            {trans.__('Somebody else has changed this meanwhile. It now says:')}
          </p>
          <pre className="atelier-Preview-text">{value || '—'}</pre>
          <div className="atelier-Buttons">
            <Button
              label={trans.__('Keep mine')}
              onClick={() => props.onRebase()}
            />
            <Button
              label={trans.__('Take theirs')}
              onClick={() => {
                setText(value);
                props.onRebase();
              }}
            />
          </div>
        </div>
      )}
      {isPreview ? (
        <div className="atelier-MarkdownField-preview">
          {text ? (
            <Markdown text={text} />
          ) : (
            <p className="atelier-muted">{props.empty}</p>
          )}
        </div>
      ) : (
        <TextAreaField
          label={trans.__('%1, in Markdown', label)}
          value={text}
          rows={8}
          onChange={setText}
        />
      )}
      <div className="atelier-Buttons">
        <Button
          kind="primary"
          label={trans.__('Save')}
          isBusy={action.isBusy}
          isDisabled={isStale || text === before}
          onClick={() => void save()}
        />
        <Button
          label={isPreview ? trans.__('Back to the text') : trans.__('Preview')}
          onClick={() => setPreview(!isPreview)}
        />
        <Button label={trans.__('Cancel')} onClick={props.onClose} />
      </div>
    </form>
  );
}
