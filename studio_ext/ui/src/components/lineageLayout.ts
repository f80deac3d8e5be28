/** Places for the nodes of a lineage, from left to right; nothing is drawn here. */
import * as dagre from '@dagrejs/dagre';

import type { Lineage } from '../api';

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 54;

export interface IPlace {
  x: number;
  y: number;
}

/** The upper left corner of each node, by its id. */
export function placeNodes(lineage: Lineage): Map<string, IPlace> {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 80 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of lineage.nodes) {
    graph.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  }
  for (const edge of lineage.edges) {
    graph.setEdge(edge.source, edge.target, {}, edge.role);
  }
  dagre.layout(graph);
  return new Map(
    lineage.nodes.map(({ id }) => {
      const { x, y } = graph.node(id);
      return [id, { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 }];
    })
  );
}
