/** What can be done with a source or step of a recipe. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';
import type { IMenuItem } from '../components';
import { duplicateStep, IRecipe, shiftStep, updateStep } from './document';

export interface IPartActions {
  change(recipe: IRecipe): void;
  select(id: string): void;
  edit(id: string): void;
  /** Choose a step that comes after this part. */
  choose(id: string): void;
  fit(id: string): void;
  comment(id: string): void;
  remove(part: api.PartReport): void;
}

export function partMenu(
  one: api.PartReport,
  recipe: IRecipe,
  trans: TranslationBundle,
  on: IPartActions
): IMenuItem[] {
  if (one.kind === 'source') {
    return [
      { label: trans.__('Settings'), onSelect: () => on.edit(one.id) },
      {
        label: trans.__('Add a step after this'),
        onSelect: () => on.choose(one.id)
      },
      { label: trans.__('Remove'), onSelect: () => on.remove(one) }
    ];
  }
  const node = recipe.nodes.find(other => other.id === one.id);
  const up = shiftStep(recipe, one.id, -1);
  const down = shiftStep(recipe, one.id, 1);
  return [
    { label: trans.__('Edit'), onSelect: () => on.edit(one.id) },
    {
      label: trans.__('Add a step after this'),
      onSelect: () => on.choose(one.id)
    },
    {
      label: trans.__('Duplicate'),
      onSelect: () => {
        const made = duplicateStep(recipe, one.id);
        if (made) {
          on.change(made.recipe);
          on.select(made.id);
        }
      }
    },
    {
      label: node?.note ? trans.__('Change comment') : trans.__('Comment'),
      onSelect: () => on.comment(one.id)
    },
    {
      label: trans.__('Move up'),
      isDisabled: !up,
      beginsGroup: true,
      onSelect: () => up && on.change(up)
    },
    {
      label: trans.__('Move down'),
      isDisabled: !down,
      onSelect: () => down && on.change(down)
    },
    {
      label: one.is_enabled ? trans.__('Turn off') : trans.__('Turn on'),
      beginsGroup: true,
      onSelect: () =>
        on.change(updateStep(recipe, one.id, { enabled: !one.is_enabled }))
    },
    {
      label: node?.fit
        ? trans.__('Forget what it learned')
        : trans.__('Learn from all rows'),
      isDisabled: !one.learns,
      onSelect: () =>
        node?.fit
          ? on.change(updateStep(recipe, one.id, { fit: undefined }))
          : on.fit(one.id)
    },
    {
      label: trans.__('Remove'),
      beginsGroup: true,
      onSelect: () => on.remove(one)
    }
  ];
}
