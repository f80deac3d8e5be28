/** The graph of a recipe: which step takes rows from which. */
import {
  Controls,
  Handle,
  MarkerType,
  Node,
  NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import * as dagre from '@dagrejs/dagre';
import * as React from 'react';

import type * as api from '../api/types';
import { useStudio } from '../frame/context';
import type { IRecipe } from './document';

const WIDTH = 220;
const HEIGHT = 56;

type Step = Node<{
  part: api.PartReport;
  isSelected: boolean;
  onSelect(id: string): void;
}>;

const NODE_TYPES = { step: StepNode };

export function FlowTab(props: {
  recipe: IRecipe;
  parts: api.PartReport[];
  selected: string | null;
  onSelect(id: string): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { recipe, parts, selected, onSelect } = props;
  const nodes = React.useMemo<Step[]>(() => {
    const places = place(recipe);
    return parts
      .filter(part => places.has(part.id))
      .map(part => ({
        id: part.id,
        type: 'step',
        position: places.get(part.id)!,
        width: WIDTH,
        height: HEIGHT,
        data: { part, isSelected: part.id === selected, onSelect }
      }));
  }, [recipe, parts, selected, onSelect]);
  const edges = React.useMemo(
    () =>
      recipe.nodes.flatMap(node =>
        node.inputs.map((input, index) => ({
          id: `${input}-${node.id}-${index}`,
          source: input,
          target: node.id,
          markerEnd: {
            type: MarkerType.ArrowClosed,
            color: 'var(--jp-ui-font-color3)'
          }
        }))
      ),
    [recipe]
  );
  return (
    <div
      className="atelier-Lineage-canvas atelier-Recipe-flow"
      role="group"
      aria-label={trans.__('Flow of the recipe')}
    >
      <ReactFlowProvider>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          fitView
          fitViewOptions={{ maxZoom: 1, minZoom: 0.4 }}
          minZoom={0.1}
          maxZoom={1.5}
          proOptions={{ hideAttribution: true }}
        >
          <Controls showInteractive={false} />
        </ReactFlow>
      </ReactFlowProvider>
    </div>
  );
}

function StepNode(props: NodeProps<Step>): React.ReactElement {
  const { part, isSelected, onSelect } = props.data;
  const state = part.error ? 'broken' : part.is_enabled ? 'good' : 'off';
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <button
        type="button"
        className="atelier-FlowNode nodrag nopan"
        data-state={state}
        aria-pressed={isSelected}
        title={part.error ?? part.sentence}
        style={{ width: WIDTH, height: HEIGHT }}
        onClick={() => onSelect(part.id)}
      >
        <strong>{part.title}</strong>
        <span className="atelier-muted">{part.sentence}</span>
      </button>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}

/** Where each part stands, from left to right. */
function place(recipe: IRecipe): Map<string, { x: number; y: number }> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 24, ranksep: 48 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const part of [...recipe.sources, ...recipe.nodes]) {
    graph.setNode(part.id, { width: WIDTH, height: HEIGHT });
  }
  for (const node of recipe.nodes) {
    for (const input of node.inputs) {
      if (graph.hasNode(input)) {
        graph.setEdge(input, node.id);
      }
    }
  }
  dagre.layout(graph);
  return new Map(
    graph.nodes().map(id => {
      const { x, y } = graph.node(id);
      return [id, { x: x - WIDTH / 2, y: y - HEIGHT / 2 }];
    })
  );
}
