/** Draws its content once it has come into sight; until then it keeps the place. */
import * as React from 'react';

export function WhenInSight(props: {
  minHeight: number;
  children: React.ReactNode;
}): React.ReactElement {
  const root = React.useRef<HTMLDivElement>(null);
  const [isSeen, setSeen] = React.useState(
    typeof IntersectionObserver === 'undefined'
  );
  React.useEffect(() => {
    const node = root.current;
    if (!node || isSeen) {
      return;
    }
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        setSeen(true);
      }
    });
    observer.observe(node);
    return () => observer.disconnect();
  }, [isSeen]);
  return (
    <div ref={root} style={{ minHeight: props.minHeight }}>
      {isSeen && props.children}
    </div>
  );
}
