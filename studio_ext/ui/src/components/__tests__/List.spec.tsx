/** The list: its roles, its window and its keyboard. */
import { fireEvent, screen } from '@testing-library/react';
import * as React from 'react';

import { IColumn, IListProps, List } from '../List';
import { nextSort } from '../ListHeader';
import { makeStudio, renderIn } from './studio';

interface IItem {
  id: string;
  size: number;
}

const COLUMNS: IColumn<IItem>[] = [
  { id: 'id', label: 'Name', width: 100, render: item => item.id },
  {
    id: 'size',
    label: 'Size',
    width: 80,
    isNumber: true,
    sortKey: 'size',
    render: item => item.size
  }
];

function makeItems(count: number): IItem[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `item-${index}`,
    size: index
  }));
}

function show(props: Partial<IListProps<IItem>> & { items: IItem[] }) {
  const element = (
    <List
      label="Things"
      columns={COLUMNS}
      identify={item => item.id}
      {...props}
    />
  );
  renderIn(makeStudio(), element);
  return screen.getByRole('grid');
}

describe('List', () => {
  it('draws a window of many rows and tells how many there are', () => {
    const grid = show({ items: makeItems(5000) });
    expect(grid.getAttribute('aria-rowcount')).toBe('5001');
    expect(screen.getAllByRole('row').length).toBeLessThan(40);
  });

  it('does not claim a count while there is more', () => {
    const onLoadMore = jest.fn();
    const grid = show({ items: makeItems(3), hasMore: true, onLoadMore });
    expect(grid.getAttribute('aria-rowcount')).toBe('-1');
    expect(onLoadMore).toHaveBeenCalledTimes(1);
  });

  it('does not ask for more while it is loading more', () => {
    const onLoadMore = jest.fn();
    show({
      items: makeItems(3),
      hasMore: true,
      isLoadingMore: true,
      onLoadMore
    });
    expect(onLoadMore).not.toHaveBeenCalled();
  });

  it('moves by arrows, selects by space and opens by Enter', () => {
    const onSelect = jest.fn();
    const onOpen = jest.fn();
    const items = makeItems(10);
    const grid = show({ items, onSelect, onOpen });
    fireEvent.keyDown(grid, { key: 'ArrowDown' });
    fireEvent.keyDown(grid, { key: 'ArrowDown' });
    const active = grid.getAttribute('aria-activedescendant') ?? '';
    expect(document.getElementById(active)?.dataset.id).toBe('item-2');
    fireEvent.keyDown(grid, { key: ' ' });
    expect(onSelect).toHaveBeenLastCalledWith(items[2]);
    fireEvent.keyDown(grid, { key: 'Enter' });
    expect(onOpen).toHaveBeenLastCalledWith(items[2]);
  });

  it('scrolls the row that the keyboard leads to into its window', () => {
    const grid = show({ items: makeItems(1000) });
    fireEvent.keyDown(grid, { key: 'End' });
    const active = grid.getAttribute('aria-activedescendant') ?? '';
    expect(document.getElementById(active)?.dataset.id).toBe('item-999');
  });

  it('lets the selection follow the arrows once there is one', () => {
    const onSelect = jest.fn();
    const items = makeItems(10);
    const grid = show({ items, onSelect, selected: 'item-4' });
    fireEvent.keyDown(grid, { key: 'ArrowUp' });
    expect(onSelect).toHaveBeenLastCalledWith(items[3]);
  });

  it('gives back the selection on Escape and on a second space', () => {
    const onSelect = jest.fn();
    const grid = show({ items: makeItems(3), onSelect, selected: 'item-1' });
    fireEvent.keyDown(grid, { key: 'Escape' });
    expect(onSelect).toHaveBeenLastCalledWith(null);
    fireEvent.keyDown(grid, { key: ' ' });
    expect(onSelect).toHaveBeenLastCalledWith(null);
  });

  it('leads to the filter by a slash', () => {
    const onFilterKey = jest.fn();
    const grid = show({ items: makeItems(3), onFilterKey });
    fireEvent.keyDown(grid, { key: '/' });
    expect(onFilterKey).toHaveBeenCalled();
  });

  it('says how it is sorted and asks for another order', () => {
    const onSort = jest.fn();
    show({
      items: makeItems(3),
      onSort,
      sort: { key: 'size', isDescending: true }
    });
    const header = screen.getByRole('columnheader', { name: /Size/ });
    expect(header.getAttribute('aria-sort')).toBe('descending');
    fireEvent.click(screen.getByRole('button', { name: /Size/ }));
    expect(onSort).toHaveBeenCalledWith({ key: 'size', isDescending: false });
  });
});

describe('nextSort', () => {
  it('goes from the largest number to the smallest to no order', () => {
    const first = nextSort('auc', null, true);
    expect(first).toEqual({ key: 'auc', isDescending: true });
    const second = nextSort('auc', first, true);
    expect(second).toEqual({ key: 'auc', isDescending: false });
    expect(nextSort('auc', second, true)).toBeNull();
  });

  it('goes from A to Z first for texts', () => {
    expect(nextSort('name', null)).toEqual({
      key: 'name',
      isDescending: false
    });
  });
});
