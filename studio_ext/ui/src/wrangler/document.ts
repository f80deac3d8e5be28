/** A recipe as its file holds it, and changes of it: each returns another recipe. The server has the last word. */

export interface INode {
  id: string;
  op: string;
  op_version?: number;
  inputs: string[];
  params: { [name: string]: unknown };
  fit?: unknown;
  enabled?: boolean;
  note?: string;
}

export interface ISource {
  id: string;
  kind?: 'file' | 'database' | 'frame';
  uri?: string | null;
  format?: string | null;
  query?: string | null;
  options?: { [name: string]: unknown };
  sampling?: { [name: string]: unknown };
  name?: string;
}

export interface IAnalysis {
  id: string;
  node: string;
  kind: string;
  params: { [name: string]: unknown };
}

export interface IParameter {
  type?: 'number' | 'string' | 'pattern' | 'datetime';
  default?: string | number | null;
  pattern?: string | null;
  description?: string;
}

export interface IRecipe {
  recipe_version: number;
  name: string;
  description?: string;
  parameters?: { [name: string]: IParameter };
  sources: ISource[];
  nodes: INode[];
  outputs?: { node: string; role: string }[];
  analyses?: IAnalysis[];
  [field: string]: unknown;
}

/** The recipe in the text of a file; null if it is none, which the server says in words. */
export function parseRecipe(text: string): IRecipe | null {
  try {
    const content = JSON.parse(text) as Partial<IRecipe> | null;
    if (!content || typeof content !== 'object') {
      return null;
    }
    return {
      ...content,
      recipe_version: content.recipe_version ?? 1,
      name: content.name ?? 'recipe',
      sources: content.sources ?? [],
      nodes: content.nodes ?? []
    };
  } catch {
    return null;
  }
}

export function formatRecipe(recipe: IRecipe): string {
  return `${JSON.stringify(recipe, null, 2)}\n`;
}

export function newId(recipe: IRecipe, prefix: string): string {
  const taken = new Set([
    ...recipe.sources.map(source => source.id),
    ...recipe.nodes.map(node => node.id)
  ]);
  let number = 1;
  while (taken.has(`${prefix}${number}`)) {
    number += 1;
  }
  return `${prefix}${number}`;
}

/** Put a step between a part and all that takes rows from it. */
export function insertStep(
  recipe: IRecipe,
  step: { op: string; params: INode['params']; version?: number },
  after: string,
  others: string[] = []
): { recipe: IRecipe; id: string } {
  const id = newId(recipe, 'n');
  const node: INode = {
    id,
    op: step.op,
    op_version: step.version ?? 1,
    inputs: [after, ...others],
    params: step.params
  };
  const nodes = recipe.nodes.map(other => withInput(other, after, id));
  const place = nodes.findIndex(other => other.id === after) + 1;
  nodes.splice(place, 0, node);
  return { recipe: moved({ ...recipe, nodes }, after, id), id };
}

export function updateStep(
  recipe: IRecipe,
  id: string,
  change: Partial<INode>
): IRecipe {
  const nodes = recipe.nodes.map(node =>
    node.id === id ? { ...node, ...change } : node
  );
  return { ...recipe, nodes };
}

export function updateSource(recipe: IRecipe, source: ISource): IRecipe {
  const sources = recipe.sources.map(one =>
    one.id === source.id ? source : one
  );
  return { ...recipe, sources };
}

/** The parts that a step may take rows from: all but itself and what comes after it. */
export function partsBefore(recipe: IRecipe, id: string): string[] {
  const after = new Set([id]);
  for (let size = 0; size !== after.size;) {
    size = after.size;
    for (const node of recipe.nodes) {
      if (node.inputs.some(input => after.has(input))) {
        after.add(node.id);
      }
    }
  }
  return [...recipe.sources, ...recipe.nodes]
    .map(part => part.id)
    .filter(part => !after.has(part));
}

/** Take a step out; what took rows from it takes them from its first input. */
export function removeStep(recipe: IRecipe, id: string): IRecipe {
  const gone = recipe.nodes.find(node => node.id === id);
  if (!gone) {
    return recipe;
  }
  const nodes = recipe.nodes
    .filter(node => node !== gone)
    .map(node => withInput(node, id, gone.inputs[0]));
  return moved({ ...recipe, nodes }, id, gone.inputs[0]);
}

/** Swap a step with the one before it (-1) or after it (1) on its path; null where there is none. */
export function shiftStep(
  recipe: IRecipe,
  id: string,
  by: -1 | 1
): IRecipe | null {
  const node = recipe.nodes.find(one => one.id === id);
  if (!node) {
    return null;
  }
  if (by === -1) {
    const before = recipe.nodes.find(one => one.id === node.inputs[0]);
    return before ? shiftStep(recipe, before.id, 1) : null;
  }
  const followers = recipe.nodes.filter(one => one.inputs[0] === id);
  if (followers.length !== 1) {
    return null;
  }
  const [next] = followers;
  const nodes = recipe.nodes
    .filter(one => one !== node)
    .map(one => (one === next ? one : withInput(one, next.id, id)))
    .map(one =>
      one === next
        ? { ...one, inputs: [node.inputs[0], ...one.inputs.slice(1)] }
        : one
    );
  const place = nodes.findIndex(one => one.id === next.id) + 1;
  nodes.splice(place, 0, {
    ...node,
    inputs: [next.id, ...node.inputs.slice(1)]
  });
  return moved({ ...recipe, nodes }, next.id, id);
}

export function duplicateStep(
  recipe: IRecipe,
  id: string
): { recipe: IRecipe; id: string } | null {
  const node = recipe.nodes.find(one => one.id === id);
  return node
    ? insertStep(
        recipe,
        { op: node.op, params: { ...node.params }, version: node.op_version },
        id,
        node.inputs.slice(1)
      )
    : null;
}

/** The part that the recipe ends with: nothing takes rows from it. */
export function lastPart(recipe: IRecipe): string | null {
  const named = recipe.outputs?.[0]?.node;
  if (named) {
    return named;
  }
  const parts = [...recipe.sources, ...recipe.nodes];
  return parts.length ? parts[parts.length - 1].id : null;
}

/** Write what steps have learned into the recipe. */
export function withFits(
  recipe: IRecipe,
  fits: { [id: string]: unknown }
): IRecipe {
  const nodes = recipe.nodes.map(node =>
    fits[node.id] ? { ...node, fit: fits[node.id] } : node
  );
  return { ...recipe, nodes };
}

function withInput(node: INode, old: string, id: string): INode {
  return node.inputs.includes(old)
    ? {
        ...node,
        inputs: node.inputs.map(input => (input === old ? id : input))
      }
    : node;
}

/** Outputs and analyses of a part go to the one that took its place at the end. */
function moved(recipe: IRecipe, old: string, id: string): IRecipe {
  const follow = <T extends { node: string }>(items?: T[]) =>
    items?.map(item => (item.node === old ? { ...item, node: id } : item));
  return {
    ...recipe,
    ...(recipe.outputs && { outputs: follow(recipe.outputs) }),
    ...(recipe.analyses && { analyses: follow(recipe.analyses) })
  };
}
