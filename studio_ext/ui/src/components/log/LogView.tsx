/** The lines of a log that are in sight, out of those in memory; more are fetched as the edges come near. */
import * as React from 'react';

import { useStudio } from '../../frame';
import { windowOf } from '../window';
import { LogLine } from './LogLine';
import { styleLines } from './ansi';
import { lineAt } from './logWindow';
import type { ILog } from './useLog';

const ROW = 18;
/** Rows from an edge at which more is fetched. */
const NEAR = 60;

export interface ILogViewHandle {
  /** Bring a line into sight; false if it is not in memory. */
  reveal(offset: number): boolean;
  /** Bring a line into sight once it is in memory. */
  expect(offset: number): void;
  /** The offset of the first line in sight. */
  top(): number;
}

interface ILogViewProps {
  log: ILog;
  wanted: string;
  found: number | null;
}

export const LogView = React.forwardRef<ILogViewHandle, ILogViewProps>(
  function LogView(props, handle): React.ReactElement {
    const { trans } = useStudio();
    const { log, wanted, found } = props;
    const known = log.window!;
    const node = React.useRef<HTMLDivElement>(null);
    const [scrollTop, setScrollTop] = React.useState(0);
    const [height, setHeight] = React.useState(400);
    /** The first line in sight and how much of it is above, to stay there when lines come before it. */
    const anchor = React.useRef({ offset: known.start, above: 0 });
    const expected = React.useRef<number | null>(null);
    const styles = React.useMemo(() => styleLines(known.lines), [known.lines]);

    const scrollTo = (top: number) => {
      if (node.current) {
        node.current.scrollTop = top;
        setScrollTop(node.current.scrollTop);
      }
    };
    const reveal = (offset: number): boolean => {
      const index = lineAt(known, offset);
      if (index < 0) {
        return false;
      }
      const top = Math.max(0, index * ROW - height / 3);
      anchor.current = { offset, above: top - index * ROW };
      scrollTo(top);
      return true;
    };
    React.useImperativeHandle(handle, () => ({
      reveal,
      expect: offset => {
        expected.current = offset;
      },
      top: () => anchor.current.offset
    }));
    React.useLayoutEffect(() => {
      const current = node.current;
      if (!current) {
        return;
      }
      if (log.isFollowing) {
        scrollTo(current.scrollHeight);
        return;
      }
      if (expected.current !== null) {
        if (reveal(expected.current)) {
          expected.current = null;
        }
        return;
      }
      const { offset, above } = anchor.current;
      const index = lineAt(known, offset);
      scrollTo(index < 0 ? 0 : index * ROW + above);
    }, [known.lines, log.isFollowing, height]);
    React.useLayoutEffect(() => {
      const current = node.current;
      if (!current || typeof ResizeObserver === 'undefined') {
        return;
      }
      const observer = new ResizeObserver(() =>
        setHeight(current.clientHeight)
      );
      observer.observe(current);
      return () => observer.disconnect();
    }, []);

    const onScroll = () => {
      const current = node.current;
      if (!current) {
        return;
      }
      const top = current.scrollTop;
      const index = Math.min(known.lines.length - 1, Math.floor(top / ROW));
      if (index >= 0) {
        const { offset } = known.lines[index];
        anchor.current = { offset, above: top - index * ROW };
      }
      const isAtEnd =
        top + current.clientHeight >= current.scrollHeight - 2 * ROW;
      if (log.isFollowing && !isAtEnd && top < scrollTop) {
        log.follow(false);
      }
      setScrollTop(top);
      if (!log.isFollowing && top < NEAR * ROW) {
        log.loadBefore();
      }
      if (top + current.clientHeight > current.scrollHeight - NEAR * ROW) {
        log.loadAfter();
      }
    };
    const { start, end } = windowOf(scrollTop, height, ROW, known.lines.length);
    return (
      <div
        ref={node}
        className="atelier-LogView"
        role="region"
        aria-label={trans.__('Log')}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div style={{ height: known.lines.length * ROW }}>
          {known.lines.slice(start, end).map((line, index) => (
            <LogLine
              key={line.offset}
              text={line.text}
              begin={styles[start + index]}
              top={(start + index) * ROW}
              wanted={wanted}
              isFound={line.offset === found}
            />
          ))}
        </div>
      </div>
    );
  }
);
