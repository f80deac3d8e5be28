/** Questions in a dialog of JupyterLab: several fields, checked before the dialog closes. */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

export interface IQuestion {
  name: string;
  label: string;
  kind?: 'line' | 'text' | 'choice' | 'check';
  value?: string;
  choices?: { value: string; label: string }[];
  help?: string;
  placeholder?: string;
  isRequired?: boolean;
  /** A regular expression for the whole text of a line. */
  pattern?: string;
  /** Whether it is asked, by the answers so far; a question that is not asked keeps its answer. */
  when?(answers: Answers): boolean;
}

/** What was answered, by the name of the question; a check that is set is `yes`, else empty. */
export type Answers = { [name: string]: string };

export interface IAskOptions {
  title: string;
  text?: string;
  questions: IQuestion[];
  accept: string;
}

/** Ask; null if the user cancels. */
export async function ask(options: IAskOptions): Promise<Answers | null> {
  const body = new Questions(options);
  const answer = await showDialog({
    title: options.title,
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: options.accept })
    ],
    focusNodeSelector: 'input, textarea, select'
  });
  return answer.button.accept ? (answer.value as Answers) : null;
}

/** Ask whether to do something that loses data; the text names what is lost. */
export async function confirmLoss(options: {
  title: string;
  text: string;
  keep: string;
  lose: string;
}): Promise<boolean> {
  const answer = await showDialog({
    title: options.title,
    body: options.text,
    buttons: [
      Dialog.cancelButton({ label: options.keep }),
      Dialog.warnButton({ label: options.lose })
    ],
    defaultButton: 0
  });
  return answer.button.accept;
}

class Questions extends ReactWidget {
  constructor(options: IAskOptions) {
    super();
    this.addClass('atelier-Ask');
    this._options = options;
    for (const question of options.questions) {
      this._answers[question.name] = question.value ?? '';
    }
  }

  getValue(): Answers {
    return this._answers;
  }

  protected render(): React.ReactElement {
    const { text, questions } = this._options;
    return (
      <>
        {text && <p>{text}</p>}
        {questions.filter(this._isAsked).map(question => (
          <label key={question.name} data-kind={question.kind ?? 'line'}>
            <span>{question.label}</span>
            {this._input(question)}
            {question.help && <small>{question.help}</small>}
          </label>
        ))}
      </>
    );
  }

  private _input(question: IQuestion): React.ReactElement {
    const { name, isRequired: required, placeholder } = question;
    const defaultValue = this._answers[name];
    const keep = (value: string) => {
      this._answers[name] = value;
      this.update();
    };
    switch (question.kind) {
      case 'check':
        return (
          <input
            type="checkbox"
            name={name}
            required={required}
            defaultChecked={defaultValue === 'yes'}
            onChange={event => keep(event.target.checked ? 'yes' : '')}
          />
        );
      case 'choice':
        return (
          <select
            name={name}
            className="jp-mod-styled"
            defaultValue={defaultValue}
            onChange={event => keep(event.target.value)}
          >
            {(question.choices ?? []).map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        );
      case 'text':
        return (
          <textarea
            name={name}
            className="jp-mod-styled"
            rows={4}
            required={required}
            placeholder={placeholder}
            defaultValue={defaultValue}
            onChange={event => keep(event.target.value)}
          />
        );
      default:
        return (
          <input
            type="text"
            name={name}
            className="jp-mod-styled"
            required={required}
            pattern={question.pattern}
            placeholder={placeholder}
            defaultValue={defaultValue}
            onChange={event => keep(event.target.value)}
          />
        );
    }
  }

  private readonly _isAsked = (question: IQuestion): boolean =>
    question.when?.(this._answers) ?? true;

  private readonly _options: IAskOptions;
  private readonly _answers: Answers = {};
}
