/** The tabs inside a page, with the keyboard of the WAI-ARIA pattern. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

export interface ITab {
  id: string;
  label: string;
  render: () => React.ReactElement;
}

export function Tabs(props: {
  label: string;
  tabs: ITab[];
  /** The tab in sight at first, and whenever another one is named here. */
  initial?: string;
}): React.ReactElement {
  const [prefix] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const [selected, setSelected] = React.useState(
    props.initial ?? props.tabs[0].id
  );
  React.useEffect(() => {
    if (props.initial !== undefined) {
      setSelected(props.initial);
    }
  }, [props.initial]);
  const current = props.tabs.find(tab => tab.id === selected) ?? props.tabs[0];
  const list = React.useRef<HTMLDivElement>(null);

  const onKeyDown = (event: React.KeyboardEvent) => {
    const index = props.tabs.indexOf(current);
    const last = props.tabs.length - 1;
    const target: { [key: string]: number } = {
      ArrowRight: index === last ? 0 : index + 1,
      ArrowLeft: index === 0 ? last : index - 1,
      Home: 0,
      End: last
    };
    if (event.key in target) {
      event.preventDefault();
      setSelected(props.tabs[target[event.key]].id);
      const buttons = list.current?.querySelectorAll('button');
      buttons?.[target[event.key]].focus();
    }
  };
  return (
    <>
      <div
        role="tablist"
        aria-label={props.label}
        className="atelier-Tabs"
        ref={list}
        onKeyDown={onKeyDown}
      >
        {props.tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${prefix}-${tab.id}`}
            aria-selected={tab === current}
            aria-controls={`${prefix}-panel`}
            tabIndex={tab === current ? 0 : -1}
            onClick={() => setSelected(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${prefix}-panel`}
        aria-labelledby={`${prefix}-${current.id}`}
        className="atelier-TabPanel"
        tabIndex={0}
      >
        {current.render()}
      </div>
    </>
  );
}
