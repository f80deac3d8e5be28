/** One line of a log, in its colours. */
import * as React from 'react';

import { ISpan, IStyle, markFound, parseLine } from './ansi';

/** Characters of a line that are drawn. */
const SHOWN = 5000;

function DrawnLine(props: {
  text: string;
  begin: IStyle;
  top: number;
  wanted: string;
  isFound: boolean;
}): React.ReactElement {
  const { text, begin, wanted } = props;
  const isCut = text.length > SHOWN;
  const { spans } = parseLine(isCut ? text.slice(0, SHOWN) : text, begin);
  return (
    <div
      className="atelier-LogView-line"
      data-found={props.isFound || undefined}
      style={{ top: props.top }}
    >
      {(wanted ? markFound(spans, wanted) : spans).map((span, index) => (
        <Span key={index} span={span} />
      ))}
      {isCut && '…'}
    </div>
  );
}

function Span(props: { span: ISpan }): React.ReactElement {
  const { text, style, isFound } = props.span;
  const [front, back] = style.isInverse
    ? [style.background ?? 'inverse', style.color ?? 'inverse']
    : [style.color, style.background];
  const of = (color: number | string | undefined) =>
    typeof color === 'string' && color.startsWith('#') ? color : undefined;
  const name = (color: number | string | undefined) =>
    of(color) === undefined ? color : undefined;
  const flags = [
    style.isBold && 'bold',
    style.isDim && 'dim',
    style.isItalic && 'italic',
    style.isUnderlined && 'underlined',
    style.isStruck && 'struck'
  ].filter(Boolean);
  return React.createElement(
    isFound ? 'mark' : 'span',
    {
      'data-front': name(front),
      'data-back': name(back),
      'data-style': flags.length ? flags.join(' ') : undefined,
      style:
        of(front) || of(back)
          ? { color: of(front), backgroundColor: of(back) }
          : undefined
    },
    text
  );
}

export const LogLine = React.memo(DrawnLine);
