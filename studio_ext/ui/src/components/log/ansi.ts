/** The colours of terminals in a line of output (ECMA-48 SGR), as spans with styles; everything else is taken out. */

/** How text looks; a colour is one of the 16 by its number, or `#rrggbb`. */
export interface IStyle {
  color?: number | string;
  background?: number | string;
  isBold?: boolean;
  isDim?: boolean;
  isItalic?: boolean;
  isUnderlined?: boolean;
  isInverse?: boolean;
  isStruck?: boolean;
}

export interface ISpan {
  text: string;
  style: IStyle;
  isFound?: boolean;
}

/* Control sequences (CSI), operating system commands such as titles and links (OSC), other escapes, and controls. */
const SEQUENCE =
  /\u001b\[([0-9;:?<=>!]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]|\u001b|[\u0000-\u0008\u000b-\u001f\u007f]/g;

export const PLAIN: IStyle = {};

/** The line as it stands in a terminal: of what was drawn over, what was drawn last. */
export function lastDrawn(line: string): string {
  const text = line.replace(/\r+$/, '');
  return text.slice(text.lastIndexOf('\r') + 1);
}

/** The text without any sequence. */
export function plainText(line: string): string {
  return lastDrawn(line).replace(SEQUENCE, '');
}

/** The spans of a line that begins with a style, and the style that it ends with. */
export function parseLine(
  line: string,
  begin: IStyle = PLAIN
): { spans: ISpan[]; end: IStyle } {
  const spans: ISpan[] = [];
  let style = begin;
  const take = (text: string) => {
    if (text) {
      spans.push({ text, style });
    }
  };
  // What was drawn over shows nothing, but its styles go on.
  const shown = lastDrawn(line);
  const hidden = line.replace(/\r+$/, '').slice(0, -shown.length || undefined);
  if (shown !== line && hidden.includes('\u001b')) {
    style = styleAfter(hidden, style);
  }
  let place = 0;
  for (const match of shown.matchAll(SEQUENCE)) {
    take(shown.slice(place, match.index));
    place = match.index + match[0].length;
    if (match[2] === 'm') {
      style = applySgr(style, match[1]);
    }
  }
  take(shown.slice(place));
  return { spans, end: style };
}

/** The style after a text. */
export function styleAfter(text: string, begin: IStyle): IStyle {
  let style = begin;
  for (const match of text.matchAll(SEQUENCE)) {
    if (match[2] === 'm') {
      style = applySgr(style, match[1]);
    }
  }
  return style;
}

/** The style that each line begins with. */
export function styleLines(lines: readonly { text: string }[]): IStyle[] {
  let style = PLAIN;
  return lines.map(({ text }) => {
    const begin = style;
    if (text.includes('\u001b')) {
      style = styleAfter(text, style);
    }
    return begin;
  });
}

/** The spans with each place that holds a text, in any case, as spans of their own. */
export function markFound(spans: ISpan[], wanted: string): ISpan[] {
  const text = spans.map(span => span.text).join('');
  const ranges = rangesOf(text, wanted);
  if (ranges.length === 0) {
    return spans;
  }
  const marked: ISpan[] = [];
  let place = 0;
  for (const span of spans) {
    const end = place + span.text.length;
    const cuts = [place, end];
    for (const range of ranges) {
      cuts.push(...range.filter(cut => cut > place && cut < end));
    }
    cuts.sort((a, b) => a - b);
    for (let index = 0; index + 1 < cuts.length; index++) {
      const from = cuts[index];
      const isFound = ranges.some(([a, b]) => a <= from && from < b);
      marked.push({
        text: text.slice(from, cuts[index + 1]),
        style: span.style,
        ...(isFound ? { isFound } : {})
      });
    }
    place = end;
  }
  return marked;
}

function rangesOf(text: string, wanted: string): [number, number][] {
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  const ranges: [number, number][] = [];
  // A text whose length changes with its case is not marked: the places would be wrong.
  if (!needle || lower.length !== text.length) {
    return ranges;
  }
  let place = lower.indexOf(needle);
  while (place >= 0) {
    ranges.push([place, place + needle.length]);
    place = lower.indexOf(needle, place + needle.length);
  }
  return ranges;
}

function applySgr(style: IStyle, parameters: string): IStyle {
  if (!/^[0-9;:]*$/.test(parameters)) {
    return style;
  }
  const codes = parameters.split(/[;:]/).map(Number);
  const next: IStyle = { ...style };
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index];
    if (code === 38 || code === 48) {
      const { color, used } = extendedColor(codes, index + 1);
      index += used;
      if (color !== undefined) {
        next[code === 38 ? 'color' : 'background'] = color;
      }
    } else if (code === 0) {
      (Object.keys(next) as (keyof IStyle)[]).forEach(key => delete next[key]);
    } else {
      applyCode(next, code);
    }
  }
  return next;
}

function applyCode(style: IStyle, code: number): void {
  const switches: { [code: number]: [keyof IStyle, boolean] } = {
    1: ['isBold', true],
    2: ['isDim', true],
    3: ['isItalic', true],
    4: ['isUnderlined', true],
    7: ['isInverse', true],
    9: ['isStruck', true],
    23: ['isItalic', false],
    24: ['isUnderlined', false],
    27: ['isInverse', false],
    29: ['isStruck', false]
  };
  if (code in switches) {
    const [key, isOn] = switches[code];
    if (isOn) {
      Object.assign(style, { [key]: true });
    } else {
      delete style[key];
    }
  } else if (code === 22) {
    delete style.isBold;
    delete style.isDim;
  } else if (code === 39) {
    delete style.color;
  } else if (code === 49) {
    delete style.background;
  } else if (code >= 30 && code <= 37) {
    style.color = code - 30;
  } else if (code >= 90 && code <= 97) {
    style.color = code - 82;
  } else if (code >= 40 && code <= 47) {
    style.background = code - 40;
  } else if (code >= 100 && code <= 107) {
    style.background = code - 92;
  }
}

/** The colour of `5;n` or `2;r;g;b`, and how many codes it took. */
function extendedColor(
  codes: number[],
  place: number
): { color: number | string | undefined; used: number } {
  const byte = (code: number | undefined) =>
    code !== undefined && code >= 0 && code <= 255 ? code : undefined;
  if (codes[place] === 5) {
    const index = byte(codes[place + 1]);
    return {
      color: index === undefined ? undefined : indexedColor(index),
      used: 2
    };
  }
  if (codes[place] === 2) {
    const parts = [1, 2, 3].map(step => byte(codes[place + step]));
    const isWhole = parts.every(part => part !== undefined);
    return { color: isWhole ? hex(parts as number[]) : undefined, used: 4 };
  }
  return { color: undefined, used: 0 };
}

/** One of xterm's 256 colours. */
function indexedColor(index: number): number | string {
  if (index < 16) {
    return index;
  }
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return hex([grey, grey, grey]);
  }
  const cube = index - 16;
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  return hex(
    [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level)
  );
}

function hex(parts: number[]): string {
  return `#${parts.map(part => part.toString(16).padStart(2, '0')).join('')}`;
}
