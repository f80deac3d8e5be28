import {
  ISpan,
  lastDrawn,
  markFound,
  parseLine,
  plainText,
  styleLines
} from '../ansi';

/** A generator of numbers that is the same in every run (mulberry32). */
function draw(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const PIECES = [
  'loss',
  ' ',
  'é漢🙂',
  '\u001b[31m',
  '\u001b[1;38;5;208m',
  '\u001b[38;2;1;2;3m',
  '\u001b[0m',
  '\u001b[m',
  '\u001b[2K',
  '\u001b[?25l',
  '\u001b]0;title\u0007',
  '\u001b]8;;http://x\u001b\\',
  '\u001b(B',
  '\u001b',
  '\u001b[',
  '\u001b[38;5m',
  '\u001b[999;x',
  '\r',
  '<b>',
  '\u0000'
];

function anyLine(next: (below: number) => number): string {
  return Array.from(
    { length: next(12) },
    () => PIECES[next(PIECES.length)]
  ).join('');
}

const textOf = (spans: ISpan[]) => spans.map(({ text }) => text).join('');

test('the spans of any line hold its text and no control character', () => {
  for (let seed = 0; seed < 2000; seed++) {
    const line = anyLine(draw(seed));
    const { spans } = parseLine(line);
    expect(textOf(spans)).toBe(plainText(line));
    expect(textOf(spans)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  }
});

test('lines parsed one after the other look as they do in one', () => {
  for (let seed = 0; seed < 300; seed++) {
    const next = draw(seed);
    const lines = Array.from({ length: 5 }, () => ({ text: anyLine(next) }));
    let style = {};
    styleLines(lines).forEach((begin, index) => {
      expect(begin).toEqual(style);
      style = parseLine(lines[index].text, begin).end;
    });
  }
});

test('marking what was found changes no text and marks each place', () => {
  for (let seed = 0; seed < 500; seed++) {
    const line = anyLine(draw(seed)) + 'LoSs' + anyLine(draw(seed + 1));
    const { spans } = parseLine(line);
    const marked = markFound(spans, 'loss');
    expect(textOf(marked)).toBe(textOf(spans));
    const found = textOf(marked.filter(({ isFound }) => isFound));
    const count = textOf(spans).toLowerCase().split('loss').length - 1;
    expect(found.toLowerCase()).toBe('loss'.repeat(count));
  }
});

test('colours, weights and their ends are read', () => {
  const { spans, end } = parseLine(
    '\u001b[1;31mred\u001b[22m thin\u001b[39m none\u001b[7;94;48;5;196m back'
  );
  expect(spans).toEqual([
    { text: 'red', style: { isBold: true, color: 1 } },
    { text: ' thin', style: { color: 1 } },
    { text: ' none', style: {} },
    {
      text: ' back',
      style: { isInverse: true, color: 12, background: '#ff0000' }
    }
  ]);
  expect(end).toEqual(spans[3].style);
});

test('of a line that is drawn over, the last drawing is shown', () => {
  expect(lastDrawn(' 10%|#\r 50%|#####\r100%|##########\r')).toBe(
    '100%|##########'
  );
  expect(plainText('windows\r')).toBe('windows');
  expect(parseLine('\u001b[32m 1\r 2').spans).toEqual([
    { text: ' 2', style: { color: 2 } }
  ]);
});
