/** Where something comes from and what came of it, as a graph or as tables; every node opens its page. */
import * as React from 'react';

import type { Lineage, LineageNode, LineageReply } from '../api';
import { useResource } from '../frame/resource';
import { useStudio } from '../frame/context';
import { formatPath } from '../frame/links';
import { Button } from './Button';
import { saveFile } from './download';
import { SelectField } from './Form';
import { Loaded, LoadingState } from './State';

/** The graph comes with the libraries that lay it out and draw it, when it is first looked at. */
const Canvas = React.lazy(() =>
  import('./LineageCanvas').then(({ LineageCanvas }) => ({
    default: LineageCanvas
  }))
);

type Direction = 'both' | 'upstream' | 'downstream';

/** The lineage of a node such as `run/<id>`; a dataset in it, which has no page, is shown here in its place. */
export function LineageGraph(props: { node: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const [root, setRoot] = React.useState(props.node);
  const [direction, setDirection] = React.useState<Direction>('both');
  const [isTable, setTable] = React.useState(false);
  const known = React.useRef({ text: '', lineage: null as Lineage | null });
  const lineage = useResource<Lineage>(
    JSON.stringify(['lineage', root, direction]),
    async signal => {
      const query = { node: root, direction };
      const reply = await client.json<LineageReply>('lineage', {
        query,
        signal
      });
      const text = JSON.stringify(reply.lineage);
      if (known.current.text !== text || !known.current.lineage) {
        known.current = { text, lineage: reply.lineage };
      }
      return known.current.lineage ?? reply.lineage;
    }
  );
  return (
    <div className="atelier-Lineage">
      <div className="atelier-Lineage-bar">
        <SelectField
          label={trans.__('Direction')}
          value={direction}
          options={[
            { value: 'both', label: trans.__('Both ways') },
            { value: 'upstream', label: trans.__('What it came from') },
            { value: 'downstream', label: trans.__('What came of it') }
          ]}
          onChange={value => setDirection(value as Direction)}
        />
        <LineageButtons
          root={root}
          direction={direction}
          lineage={lineage.data}
          isTable={isTable}
          onTable={() => setTable(!isTable)}
        />
        {root !== props.node && (
          <Button
            label={trans.__('Back')}
            description={trans.__('Back to the lineage of this page')}
            onClick={() => setRoot(props.node)}
          />
        )}
      </div>
      <Loaded
        resource={lineage}
        failure={trans.__('The lineage could not be read')}
      >
        {data => (
          <>
            {!data.is_complete && (
              <p className="atelier-Reason" role="status">
                {trans.__(
                  'Only the %1 nearest nodes are shown.',
                  data.nodes.length
                )}
              </p>
            )}
            {isTable ? (
              <LineageTable lineage={data} onDataset={setRoot} />
            ) : (
              <React.Suspense fallback={<LoadingState />}>
                <Canvas lineage={data} onDataset={setRoot} />
              </React.Suspense>
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function LineageButtons(props: {
  root: string;
  direction: Direction;
  lineage: Lineage | null;
  isTable: boolean;
  onTable(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { root, lineage } = props;
  const save = () => {
    const blob = new Blob([JSON.stringify(lineage, null, 2)], {
      type: 'application/json'
    });
    const url = URL.createObjectURL(blob);
    saveFile(url, `lineage ${root}.json`);
    URL.revokeObjectURL(url);
  };
  return (
    <div className="atelier-Buttons">
      <button
        type="button"
        className="atelier-Button"
        data-kind="plain"
        aria-pressed={props.isTable}
        onClick={props.onTable}
      >
        {trans.__('View as table')}
      </button>
      <Button
        label={trans.__('Copy as Python')}
        onClick={() => void studio.copy(lineageCode(root, props.direction))}
      />
      <Button
        label={trans.__('JSON')}
        description={trans.__('Save the lineage as JSON')}
        isDisabled={lineage === null}
        onClick={save}
      />
    </div>
  );
}

function LineageTable(props: {
  lineage: Lineage;
  onDataset(node: string): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { lineage } = props;
  const labels = new Map(lineage.nodes.map(node => [node.id, node]));
  const link = (id: string) => {
    const node = labels.get(id);
    return node ? (
      <button
        type="button"
        className="atelier-TextButton"
        onClick={() =>
          openNode(studio.open.bind(studio), node, props.onDataset)
        }
      >
        {`${kindLabel(node.kind, trans)} ${node.label}`}
      </button>
    ) : (
      id
    );
  };
  return (
    <div className="atelier-DataTable">
      <table aria-label={trans.__('Things in this lineage')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Thing')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Came from')}</th>
            <th scope="col">{trans.__('Came of it')}</th>
          </tr>
        </thead>
        <tbody>
          {lineage.nodes.map(node => (
            <tr
              key={node.id}
              aria-current={node.id === lineage.root || undefined}
            >
              <th scope="row">{link(node.id)}</th>
              <td>{node.state}</td>
              <td>
                {lineage.edges
                  .filter(edge => edge.target === node.id)
                  .map(edge => (
                    <div key={edge.source + edge.role}>
                      {link(edge.source)}{' '}
                      <span className="atelier-muted">{edge.role}</span>
                    </div>
                  ))}
              </td>
              <td>
                {lineage.edges
                  .filter(edge => edge.source === node.id)
                  .map(edge => (
                    <div key={edge.target + edge.role}>
                      {link(edge.target)}{' '}
                      <span className="atelier-muted">{edge.role}</span>
                    </div>
                  ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a kind of node is called. */
export function kindLabel(
  kind: string,
  trans: { __(text: string): string }
): string {
  const labels: { [kind: string]: string } = {
    dataset: trans.__('Dataset'),
    run: trans.__('Run'),
    version: trans.__('Version'),
    endpoint: trans.__('Endpoint')
  };
  return labels[kind] ?? kind;
}

/** Open the page of a node; a dataset has none and is handed back. */
export function openNode(
  open: (path: string) => void,
  node: LineageNode,
  onDataset: (node: string) => void
): void {
  const path = nodePath(node.id);
  if (path) {
    open(path);
  } else {
    onDataset(node.id);
  }
}

/** The path of a node's page; null for one that has none. */
export function nodePath(id: string): string | null {
  const [kind, ...names] = id.split('/');
  return kind === 'dataset' ? null : formatPath(kind, ...names);
}

/** The code that asks for a lineage in a notebook. */
export function lineageCode(node: string, direction: Direction): string {
  const way = direction === 'both' ? '' : `, direction="${direction}"`;
  return `import kernel_tools as kt\n\nkt.registry.lineage(${JSON.stringify(node)}${way})`;
}
