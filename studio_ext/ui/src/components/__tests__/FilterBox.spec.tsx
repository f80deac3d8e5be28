/** The filter box and what it completes. */
import { act, fireEvent, screen } from '@testing-library/react';
import * as React from 'react';

import { FilterBox, ICompletions } from '../FilterBox';
import { makeStudio, renderIn } from './studio';

const NOTHING = () => null;
const SOMETHING = (text: string): ICompletions => ({
  start: 0,
  end: text.length,
  options: [{ text: 'params.depth', detail: 'parameter' }]
});

describe('FilterBox', () => {
  let learn: () => void = () => undefined;
  function Box() {
    const [complete, setComplete] = React.useState(() => NOTHING);
    learn = () => setComplete(() => SOMETHING as unknown as typeof NOTHING);
    return (
      <FilterBox
        label="Filter"
        placeholder=""
        value=""
        error={null}
        onSubmit={() => undefined}
        complete={complete}
      />
    );
  }
  const type = () => {
    renderIn(makeStudio(), <Box />);
    const box = screen.getByRole('combobox');
    act(() => box.focus());
    fireEvent.change(box, { target: { value: 'par' } });
    return box;
  };

  it('completes what was typed before it knew how', () => {
    type();
    expect(screen.queryByRole('listbox')).toBeNull();
    act(() => learn());
    expect(screen.getByRole('option').textContent).toContain('params.depth');
  });

  it('does not after it was closed', () => {
    const box = type();
    fireEvent.blur(box);
    act(() => learn());
    expect(screen.queryByRole('listbox')).toBeNull();
  });
});
