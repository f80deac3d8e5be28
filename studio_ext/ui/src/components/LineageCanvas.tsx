/** The lineage drawn: nodes are buttons, edges arrows, in the colours of the theme. */
import {
  Controls,
  Edge,
  Handle,
  MarkerType,
  Node,
  NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Lineage, LineageNode } from '../api';
import { useStudio } from '../frame/context';
import {
  datasetIcon,
  endpointsIcon,
  experimentsIcon,
  modelsIcon,
  runIcon
} from '../frame/icons';
import { kindLabel, openNode } from './LineageGraph';
import { NODE_HEIGHT, NODE_WIDTH, placeNodes } from './lineageLayout';

type Thing = Node<{
  thing: LineageNode;
  isRoot: boolean;
  onDataset(node: string): void;
}>;

const ICONS: { [kind: string]: LabIcon } = {
  dataset: datasetIcon,
  run: runIcon,
  version: modelsIcon,
  endpoint: endpointsIcon
};

const NODE_TYPES = { thing: ThingNode };

/** Edges beyond which their roles are left to the hover of the nodes. */
const LABELLED_EDGES = 40;

export function LineageCanvas(props: {
  lineage: Lineage;
  onDataset(node: string): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { lineage, onDataset } = props;
  const { nodes, edges } = React.useMemo(
    () => draw(lineage, onDataset),
    [lineage, onDataset]
  );
  return (
    <div
      className="atelier-Lineage-canvas"
      role="group"
      aria-label={trans.__('Lineage')}
    >
      <ReactFlowProvider>
        <ReactFlow
          key={lineage.root}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          onlyRenderVisibleElements={nodes.length > 150}
          fitView
          fitViewOptions={{ maxZoom: 1, minZoom: 0.4 }}
          minZoom={0.1}
          maxZoom={1.5}
          proOptions={{ hideAttribution: true }}
        >
          <Controls
            showInteractive={false}
            aria-label={trans.__('Zoom of the graph')}
          />
        </ReactFlow>
      </ReactFlowProvider>
    </div>
  );
}

function ThingNode(props: NodeProps<Thing>): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const flow = useReactFlow();
  const { thing, isRoot, onDataset } = props.data;
  const Icon = ICONS[thing.kind] ?? experimentsIcon;
  const kind = kindLabel(thing.kind, trans);
  const description = [kind, thing.state].filter(part => part).join(' · ');
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <button
        type="button"
        className="atelier-Lineage-node nodrag nopan"
        data-kind={thing.kind}
        aria-current={isRoot || undefined}
        title={`${thing.label}\n${description}`}
        onFocus={event => {
          if (event.currentTarget.matches(':focus-visible')) {
            const { positionAbsoluteX: x, positionAbsoluteY: y } = props;
            const zoom = flow.getZoom();
            void flow.setCenter(x + NODE_WIDTH / 2, y + NODE_HEIGHT / 2, {
              zoom
            });
          }
        }}
        onClick={() => openNode(path => studio.open(path), thing, onDataset)}
      >
        <Icon.react tag="span" width="18px" aria-hidden />
        <span className="atelier-Lineage-text">
          <span className="atelier-ellipsis">{thing.label}</span>
          <span className="atelier-ellipsis atelier-muted">{description}</span>
        </span>
      </button>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}

function draw(
  lineage: Lineage,
  onDataset: (node: string) => void
): { nodes: Thing[]; edges: Edge[] } {
  const places = placeNodes(lineage);
  const isLabelled = lineage.edges.length <= LABELLED_EDGES;
  return {
    nodes: lineage.nodes.map(thing => ({
      id: thing.id,
      type: 'thing',
      position: places.get(thing.id) ?? { x: 0, y: 0 },
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
      data: { thing, isRoot: thing.id === lineage.root, onDataset }
    })),
    edges: lineage.edges.map(({ source, target, role }) => ({
      id: JSON.stringify([source, target, role]),
      source,
      target,
      label: isLabelled ? role : undefined,
      markerEnd: {
        type: MarkerType.ArrowClosed,
        color: 'var(--jp-ui-font-color3)'
      }
    }))
  };
}
