/** The head of a page: where it is, what it is, its state, one line of facts and what can be done. */
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { usePage, useStudio } from '../frame/context';
import { IMenuItem, openMenu } from './menu';

export interface ICrumb {
  label: string;
  path: string;
}

export interface IPageHeaderProps {
  title: string;
  crumbs?: ICrumb[];
  chip?: React.ReactNode;
  facts?: React.ReactNode;
  links?: React.ReactNode;
  actions?: React.ReactNode;
  menu?: IMenuItem[];
}

export function PageHeader(props: IPageHeaderProps): React.ReactElement {
  const studio = useStudio();
  const page = usePage();
  const { trans } = studio;
  const items: IMenuItem[] = [
    {
      label: trans.__('Copy Link'),
      onSelect: () => void studio.copy(studio.linkTo(page.path))
    },
    {
      label: trans.__('Refresh'),
      onSelect: () => studio.announceChange()
    },
    ...(props.menu ?? [])
  ];
  return (
    <header className="atelier-Header">
      {props.crumbs && props.crumbs.length > 0 && (
        <nav aria-label={trans.__('Breadcrumb')}>
          <ol className="atelier-Crumbs">
            {props.crumbs.map(crumb => (
              <li key={crumb.path}>
                <button
                  type="button"
                  className="atelier-TextButton atelier-ellipsis"
                  title={crumb.label}
                  onClick={() => studio.open(crumb.path)}
                >
                  {crumb.label}
                </button>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div className="atelier-Header-line">
        <h1 className="atelier-ellipsis" title={props.title}>
          {props.title}
        </h1>
        {props.chip}
        <div className="atelier-Header-actions">
          {props.actions}
          <button
            type="button"
            className="atelier-IconButton"
            aria-label={trans.__('More')}
            aria-haspopup="menu"
            title={trans.__('More')}
            onClick={event => openMenu(event.currentTarget, items)}
          >
            <ellipsesIcon.react tag="span" width="16px" aria-hidden />
          </button>
        </div>
      </div>
      {props.facts && <div className="atelier-Facts">{props.facts}</div>}
      {props.links && <div className="atelier-Links">{props.links}</div>}
    </header>
  );
}
