/** The rows of the table: blocks fetched as they come into sight, branches inside, orders that change. */
import type { RunRecord, RunWindow, WindowRequest } from '../../../api';
import { RunTree } from '../tree';

function run(id: string): RunRecord {
  return {
    id,
    name: id,
    experiment: 'e',
    status: 'FINISHED',
    user: 'u',
    started_at: 0,
    ended_at: 1,
    params: {},
    metrics: {},
    tags: {},
    experiment_id: '1',
    lifecycle: 'active',
    parent_run_id: null
  };
}

/** A server with `names`, and three runs inside the first one. */
function serve(names: string[]) {
  const server = {
    names,
    order: 1,
    requests: [] as Partial<WindowRequest>[],
    fetch: async (request: Partial<WindowRequest>): Promise<RunWindow> => {
      server.requests.push(request);
      const all = request.parent_run_id
        ? [0, 1, 2].map(n => `${request.parent_run_id}.${n}`)
        : server.names;
      const offset = request.offset ?? 0;
      const rows = all.slice(offset, offset + (request.limit ?? 0));
      const found = (request.find ?? []).map((id): [string, number] => [
        id,
        all.indexOf(id)
      ]);
      return {
        rows: rows.map(run),
        offset,
        total: all.length,
        order: String(server.order),
        child_counts: request.parent_run_id ? {} : { [server.names[0]]: 3 },
        positions: Object.fromEntries(found.filter(([, at]) => at >= 0))
      };
    }
  };
  return server;
}

function treeOf(server: ReturnType<typeof serve>): RunTree {
  const { fetch } = server;
  return new RunTree({
    fetch,
    isNested: true,
    groupBy: null,
    fetchGroups: null
  });
}

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => `run-${index}`);
const settle = () => new Promise(resolve => setTimeout(resolve, 0));

describe('RunTree', () => {
  it('knows how long it is, and only the rows that were in sight', async () => {
    const server = serve(names(100_000));
    const tree = treeOf(server);
    await tree.refresh(new AbortController().signal);
    expect(tree.length).toBe(100_000);
    expect(tree.row(5)?.id).toBe('run-5');
    expect(tree.row(70_000)).toBeUndefined();
    tree.show(70_000, 70_030);
    await settle();
    expect(tree.row(70_010)?.id).toBe('run-70010');
    expect(tree.find('run-70010')).toBe(70_010);
    expect(server.requests.slice(1).every(({ order }) => order === '1')).toBe(
      true
    );
  });

  it('does not ask twice for what is on its way, and skips what went by', async () => {
    const server = serve(names(10_000));
    const tree = treeOf(server);
    await tree.refresh(new AbortController().signal);
    await settle();
    const count = server.requests.length;
    tree.show(4000, 4030);
    tree.show(4001, 4031);
    tree.show(6000, 6030);
    expect(server.requests.length).toBe(count + 2);
    tree.show(8000, 8030);
    await settle();
    expect(server.requests[count + 2].offset).toBe(8000);
    expect(tree.row(8000)?.id).toBe('run-8000');
    expect(tree.row(6000)).toBeUndefined();
  });

  it('opens a branch between its row and the next', async () => {
    const tree = treeOf(serve(names(10)));
    await tree.refresh(new AbortController().signal);
    tree.show(0, 10);
    const first = tree.row(0);
    expect(first && tree.branch(first)).toEqual({
      depth: 0,
      childCount: 3,
      isOpen: false
    });
    tree.toggle(first!);
    await settle();
    expect(tree.length).toBe(13);
    expect([1, 2, 3, 4].map(at => tree.row(at)?.id)).toEqual([
      'run-0.0',
      'run-0.1',
      'run-0.2',
      'run-1'
    ]);
    expect(tree.find('run-0.2')).toBe(3);
    expect(tree.find('run-9')).toBe(12);
    expect(tree.row(1)?.depth).toBe(1);
    tree.toggle(first!);
    expect(tree.length).toBe(10);
  });

  it('keeps a branch open where its row went', async () => {
    const server = serve(names(10));
    const tree = treeOf(server);
    await tree.refresh(new AbortController().signal);
    tree.show(0, 10);
    tree.toggle(tree.row(0)!);
    await settle();
    server.names = ['new', ...server.names];
    server.order = 2;
    await tree.refresh(new AbortController().signal);
    expect([0, 1, 2].map(at => tree.row(at)?.id)).toEqual([
      'new',
      'run-0',
      'run-0.0'
    ]);
    expect(tree.length).toBe(14);
  });

  it('starts anew when the server has another order', async () => {
    const server = serve(names(1000));
    const tree = treeOf(server);
    await tree.refresh(new AbortController().signal);
    server.order = 2;
    server.names = names(1000).reverse();
    tree.show(600, 630);
    await settle();
    await settle();
    expect(tree.row(600)?.id).toBe('run-399');
  });

  it('takes over runs as they are now', async () => {
    const tree = treeOf(serve(names(10)));
    await tree.refresh(new AbortController().signal);
    tree.update([{ ...run('run-3'), metrics: { loss: 1 } }, run('unknown')]);
    const row = tree.row(3);
    expect(row?.kind === 'run' && row.run.metrics).toEqual({ loss: 1 });
    expect(row && tree.isFresh(row)).toBe(true);
  });
});
