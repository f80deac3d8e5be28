/** The ways into a room: its command, its line in the palette and its card in the launcher. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';

import type { IRoom, IStudio } from './tokens';

export interface IEntranceOptions {
  app: JupyterFrontEnd;
  studio: IStudio;
  room: IRoom;
  /** Such as `atelier:open-home`. */
  command: string;
  /** The name of the command in the palette. */
  label: string;
  caption: string;
  palette: ICommandPalette | null;
  launcher: ILauncher | null;
}

/** Add a room to the studio, the palette and the launcher. */
export function addEntrance(options: IEntranceOptions): void {
  const { app, studio, room, command } = options;
  const { section } = room;
  const category = studio.trans.__('Atelier');
  app.commands.addCommand(command, {
    label: args => (args.isLauncher ? section.label : options.label),
    caption: options.caption,
    icon: section.icon,
    execute: () => studio.open(section.path)
  });
  options.palette?.addItem({ command, category });
  options.launcher?.add({
    command,
    category,
    rank: section.rank,
    args: { isLauncher: true }
  });
  studio.addRoom(room);
}
