/** All tensors that were captured, searched by name, and beside them the one that is looked at. */
import * as React from 'react';

import type { TensorRow } from '../api';
import {
  IColumn,
  InputField,
  List,
  SelectField,
  formatExact,
  formatNumber
} from '../components';
import { usePagedResource, useStudio } from '../frame';
import type { ICaptureView } from './DebuggerTab';
import { TensorDrawer } from './TensorDrawer';
import { listTensors } from './calls';

const NONE: TensorRow[] = [];
/** Milliseconds that the search box rests before the server is asked. */
const SETTLED = 200;

export function Tensors(view: ICaptureView): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, reply } = view;
  const [typed, setTyped] = React.useState('');
  const [search, setSearch] = React.useState('');
  const [collection, setCollection] = React.useState('');
  const [selected, setSelected] = React.useState<string | null>(null);
  const field = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSearch(typed), SETTLED);
    return () => window.clearTimeout(timer);
  }, [typed]);
  const tensors = usePagedResource<TensorRow>(
    JSON.stringify(['tensors', run.id, search, collection]),
    ({ name }) => name,
    async (page, signal) => {
      const query = { ...page, search, collection };
      const found = await listTensors(client, run.id, query, signal);
      return { items: found.tensors, next: found.next_page_token };
    }
  );
  const columns = useColumns();
  const collections = Object.entries(reply.capture?.collections ?? {});
  return (
    <div className="atelier-Findings atelier-Tensors">
      <div className="atelier-Findings-main">
        <div className="atelier-ChartControls" ref={field}>
          <InputField
            label={trans.__('Search tensors')}
            value={typed}
            onChange={setTyped}
          />
          <SelectField
            label={trans.__('Collection')}
            value={collection}
            options={[
              { value: '', label: trans.__('All') },
              ...collections.map(([value, count]) => ({
                value,
                label: `${value} (${count})`
              }))
            ]}
            onChange={setCollection}
          />
        </div>
        <div className="atelier-Tensors-list">
          <List
            label={trans.__('Tensors')}
            items={tensors.data ?? NONE}
            columns={columns}
            identify={({ name }) => name}
            selected={selected}
            onSelect={item => setSelected(item?.name ?? null)}
            hasMore={tensors.hasMore}
            isLoadingMore={tensors.isLoadingMore}
            onLoadMore={tensors.loadMore}
            onFilterKey={() => field.current?.querySelector('input')?.focus()}
          />
        </div>
        {tensors.data?.length === 0 && (
          <p className="atelier-muted" role="status">
            {trans.__('No tensor matches.')}
          </p>
        )}
      </div>
      {selected !== null && (
        <TensorDrawer
          key={selected}
          name={selected}
          onClose={() => setSelected(null)}
          {...view}
        />
      )}
    </div>
  );
}

function useColumns(): IColumn<TensorRow>[] {
  const { trans } = useStudio();
  return React.useMemo(() => {
    const number = (
      id: 'mean' | 'std' | 'min' | 'max',
      label: string
    ): IColumn<TensorRow> => ({
      id,
      label,
      width: 98,
      isNumber: true,
      render: row => (row[id] === null ? '' : formatNumber(row[id])),
      title: row => (row[id] === null ? undefined : formatExact(row[id]))
    });
    return [
      {
        id: 'name',
        label: trans.__('Tensor'),
        width: 210,
        render: ({ name }) => name,
        title: ({ name }) => name
      },
      {
        id: 'collection',
        label: trans.__('Collection'),
        width: 100,
        render: ({ collections }) => collections.join(', ')
      },
      {
        id: 'shape',
        label: trans.__('Shape'),
        width: 110,
        render: ({ shape }) => shape.join(' × '),
        title: ({ shape }) => shape.join(' × ')
      },
      number('mean', trans.__('Mean')),
      number('std', trans.__('Std')),
      number('min', trans.__('Min')),
      number('max', trans.__('Max'))
    ];
  }, [trans]);
}
