/** What is set for the whole table: grouping, nesting, which runs, columns and saved views. */
import * as React from 'react';

import type { RunFields, ViewSettings } from '../../api';
import { useStudio } from '../../frame';
import { ViewsMenu } from './ViewsMenu';

export function TableBar(props: {
  experiment: string | null;
  settings: ViewSettings;
  fields: RunFields | null;
  status: string;
  isChoosing: boolean;
  onChange(change: Partial<ViewSettings>): void;
  onChoose(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { settings, fields, onChange } = props;
  const tags = fields?.tags.filter(tag => !tag.is_system) ?? [];
  const groups = [
    { label: trans.__('Parameters'), entity: 'params', keys: fields?.params },
    { label: trans.__('Tags'), entity: 'tags', keys: tags }
  ];
  const by = settings.group_by;
  const isListed =
    !by ||
    ['experiment', 'status', 'user'].includes(by) ||
    groups.some(({ entity, keys }) =>
      keys?.some(({ key }) => `${entity}.${key}` === by)
    );
  return (
    <div
      className="atelier-TableBar"
      role="toolbar"
      aria-label={trans.__('Table')}
    >
      <label>
        {trans.__('Group by')}
        <select
          className="atelier-Input"
          value={by ?? ''}
          onChange={event => onChange({ group_by: event.target.value || null })}
        >
          <option value="">{trans.__('Nothing')}</option>
          {!isListed && <option value={by ?? ''}>{by}</option>}
          <option value="experiment">{trans.__('Experiment')}</option>
          <option value="status">{trans.__('Status')}</option>
          <option value="user">{trans.__('User')}</option>
          {groups.map(({ label, entity, keys }) =>
            keys?.length ? (
              <optgroup key={entity} label={label}>
                {keys.slice(0, 200).map(({ key }) => (
                  <option key={key} value={`${entity}.${key}`}>
                    {key}
                  </option>
                ))}
              </optgroup>
            ) : null
          )}
        </select>
      </label>
      <label>
        {trans.__('Show')}
        <select
          className="atelier-Input"
          value={settings.shown}
          onChange={event =>
            onChange({ shown: event.target.value as ViewSettings['shown'] })
          }
        >
          <option value="active">{trans.__('Runs')}</option>
          <option value="archived">{trans.__('Archived runs')}</option>
          <option value="deleted">{trans.__('Deleted runs')}</option>
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={settings.is_nested}
          disabled={by !== null}
          onChange={event => onChange({ is_nested: event.target.checked })}
        />
        {trans.__('Nested')}
      </label>
      <span className="atelier-TableBar-status" role="status">
        {props.status}
      </span>
      <button
        type="button"
        className="atelier-Button"
        aria-pressed={props.isChoosing}
        onClick={props.onChoose}
      >
        {trans.__('Columns')}
      </button>
      <ViewsMenu
        experiment={props.experiment}
        settings={settings}
        onApply={found => onChange(found)}
      />
    </div>
  );
}
