/** Saved views: chosen, saved, renamed and deleted. */
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

import type { RunView, ViewSettings } from '../../api';
import { ErrorBar, IMenuItem, openMenu, useAction } from '../../components';
import { useResource, useStudio } from '../../frame';
import { deleteView, listViews, saveView } from './calls';
import { USUAL } from './settings';

export function ViewsMenu(props: {
  experiment: string | null;
  settings: ViewSettings;
  onApply(settings: ViewSettings): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { experiment, settings, onApply } = props;
  const action = useAction();
  const [name, setName] = React.useState<string | null>(null);
  const views = useResource(JSON.stringify(['views', experiment]), signal =>
    listViews(client, experiment, signal)
  );
  const current = views.data?.find(view => view.name === name) ?? null;
  const isChanged =
    current !== null &&
    JSON.stringify(sorted(current.settings)) !==
      JSON.stringify(sorted(settings));

  const save = async (
    chosen: string,
    options: { is_default?: boolean; replaces?: string } = {}
  ) => {
    const body = { name: chosen, experiment, settings, ...options };
    if (await action.run(() => saveView(client, body))) {
      setName(chosen);
    }
  };
  const askName = async (title: string, text: string) => {
    const { button, value } = await InputDialog.getText({
      title,
      text,
      label: trans.__('Name')
    });
    return button.accept ? value?.trim() || null : null;
  };
  const saveAs = async () => {
    const chosen = await askName(
      trans.__('Save the view'),
      current?.name ?? ''
    );
    const other = views.data?.find(view => view.name === chosen);
    if (chosen && (!other || (await confirmReplace(chosen)))) {
      await save(chosen);
    }
  };
  const confirmReplace = async (chosen: string) => {
    const { button } = await showDialog({
      title: trans.__('Replace the view “%1”?', chosen),
      body: trans.__('What it shows now is lost, for everybody.'),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Replace') })
      ]
    });
    return button.accept;
  };
  const rename = async (view: RunView) => {
    const chosen = await askName(trans.__('Rename the view'), view.name);
    if (chosen && chosen !== view.name) {
      await save(chosen, { replaces: view.name, is_default: view.is_default });
    }
  };
  const remove = async (view: RunView) => {
    const { button } = await showDialog({
      title: trans.__('Delete the view “%1”?', view.name),
      body: trans.__('It is gone for everybody. The runs stay.'),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Delete') })
      ]
    });
    if (button.accept) {
      await action.run(() => deleteView(client, experiment, view.name));
      setName(null);
    }
  };
  const items = (): IMenuItem[] => [
    {
      label: trans.__('All runs, usual columns'),
      isToggled: current === null,
      onSelect: () => {
        setName(null);
        onApply(USUAL);
      }
    },
    ...(views.data ?? []).map(view => ({
      label: view.is_default ? trans.__('%1 (default)', view.name) : view.name,
      isToggled: view === current,
      onSelect: () => {
        setName(view.name);
        onApply(view.settings);
      }
    })),
    {
      label: trans.__('Save'),
      beginsGroup: true,
      isDisabled: current === null,
      onSelect: () =>
        void (current && save(current.name, { is_default: current.is_default }))
    },
    { label: trans.__('Save As…'), onSelect: () => void saveAs() },
    {
      label: trans.__('Rename…'),
      isDisabled: current === null,
      onSelect: () => void (current && rename(current))
    },
    {
      label: trans.__('Open First'),
      isToggled: current?.is_default ?? false,
      isDisabled: current === null,
      onSelect: () =>
        void (
          current && save(current.name, { is_default: !current.is_default })
        )
    },
    {
      label: trans.__('Delete…'),
      isDisabled: current === null,
      onSelect: () => void (current && remove(current))
    }
  ];
  const error = action.error ?? views.error;
  return (
    <>
      <button
        type="button"
        className="atelier-Button"
        aria-haspopup="menu"
        onClick={event => openMenu(event.currentTarget, items())}
      >
        {current
          ? trans.__('View: %1', current.name) + (isChanged ? ' *' : '')
          : trans.__('Views')}
        <span aria-hidden="true">&nbsp;▾</span>
      </button>
      {error && <ErrorBar error={error} dismiss={action.dismiss} />}
    </>
  );
}

/** Settings in an order of their own, to be compared. */
function sorted(settings: ViewSettings): [string, unknown][] {
  return Object.entries(settings).sort(([a], [b]) => a.localeCompare(b));
}
