/** A menu below a button, made of JupyterLab's own. */
import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';

export interface IMenuItem {
  label: string;
  onSelect: () => void;
  isToggled?: boolean;
  isDisabled?: boolean;
  /** Whether a line stands above. */
  beginsGroup?: boolean;
}

/** Open a menu at the lower end of `anchor`; the focus comes back to it. */
export function openMenu(anchor: HTMLElement, items: IMenuItem[]): void {
  const menu = makeMenu(items);
  menu.aboutToClose.connect(() => anchor.focus({ preventScroll: true }));
  const box = anchor.getBoundingClientRect();
  menu.open(box.left, box.bottom);
}

/** Open a menu at a point of the window. */
export function openMenuAt(x: number, y: number, items: IMenuItem[]): void {
  makeMenu(items).open(x, y);
}

function makeMenu(items: IMenuItem[]): MenuSvg {
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  items.forEach((item, index) => {
    const command = `item-${index}`;
    commands.addCommand(command, {
      label: item.label,
      isToggleable: item.isToggled !== undefined,
      isToggled: () => item.isToggled ?? false,
      isEnabled: () => !item.isDisabled,
      execute: item.onSelect
    });
    if (item.beginsGroup && index > 0) {
      menu.addItem({ type: 'separator' });
    }
    menu.addItem({ command });
  });
  return menu;
}
