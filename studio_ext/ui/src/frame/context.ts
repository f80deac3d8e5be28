/** How React components reach the studio and the page that they stand on. */
import { ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { IStudio } from './tokens';

/** The page that a component stands on. */
export interface IPageContext {
  readonly path: string;
  readonly isVisible: boolean;
  readonly visibilityChanged: ISignal<unknown, boolean>;
  /** Show another page of the same tab. */
  navigate(path: string): void;
  setTitle(title: string): void;
}

export const StudioContext = React.createContext<IStudio | null>(null);
export const PageContext = React.createContext<IPageContext | null>(null);

export function useStudio(): IStudio {
  const studio = React.useContext(StudioContext);
  if (!studio) {
    throw new Error('A component of Atelier stands outside of its studio.');
  }
  return studio;
}

export function usePage(): IPageContext {
  const page = React.useContext(PageContext);
  if (!page) {
    throw new Error('A component of Atelier stands outside of its page.');
  }
  return page;
}

/** Give the tab a title, once it is known. */
export function usePageTitle(title: string | undefined): void {
  const page = usePage();
  React.useEffect(() => {
    if (title) {
      page.setTitle(title);
    }
  }, [title, page]);
}
