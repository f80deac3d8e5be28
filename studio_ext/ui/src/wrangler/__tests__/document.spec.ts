import { IRecipe, partsBefore, updateSource } from '../document';
import { formatOf, optionText, withOption, withType } from '../sourceOptions';

const recipe: IRecipe = {
  recipe_version: 1,
  name: 'r',
  sources: [
    { id: 's1', uri: 'a.csv.gz' },
    { id: 's2', uri: 'b.xlsx' }
  ],
  nodes: [
    { id: 'n1', op: 'sort', inputs: ['s1'], params: {} },
    { id: 'n2', op: 'join', inputs: ['n1', 's2'], params: {} },
    { id: 'n3', op: 'limit', inputs: ['n2'], params: {} }
  ]
};

describe('tables that a step may take rows from', () => {
  it('leaves out itself and what comes after', () => {
    expect(partsBefore(recipe, 'n2')).toEqual(['s1', 's2', 'n1']);
    expect(partsBefore(recipe, 's1')).toEqual(['s2']);
  });

  it('replaces one source', () => {
    const changed = updateSource(recipe, { id: 's2', uri: 'c.csv' });
    expect(changed.sources.map(one => one.uri)).toEqual(['a.csv.gz', 'c.csv']);
  });
});

describe('how a source is read', () => {
  it('is told by its format or its name', () => {
    const [first, second] = recipe.sources;
    expect([formatOf(first), formatOf(second)]).toEqual(['csv', 'excel']);
    expect(formatOf({ id: 's', uri: 'x', format: 'tsv' })).toBe('tsv');
    expect(formatOf({ id: 's', uri: 'x.parquet?y' })).toBe('');
  });

  it('keeps options as their kind, and forgets empty ones', () => {
    let source = withOption(recipe.sources[0], 'skip', '3');
    source = withOption(source, 'header', 'false');
    source = withOption(source, 'missing', 'n/a, -');
    expect(source.options).toEqual({
      skip: 3,
      header: false,
      missing: ['n/a', '-']
    });
    expect(optionText(source, 'missing')).toBe('n/a,-');
    expect(withOption(source, 'skip', '').options).not.toHaveProperty('skip');
  });

  it('says and forgets the type of a column', () => {
    const typed = withType(recipe.sources[0], 'zip', 'text');
    expect(typed.options?.types).toEqual({ zip: 'text' });
    expect(withType(typed, 'zip', '').options).toEqual({});
  });
});
