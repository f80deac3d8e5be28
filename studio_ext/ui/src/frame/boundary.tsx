/** Keeps a defect of one view from leaving an empty tab. */
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ApiError } from '../api';
import { ErrorState } from '../components/State';

export interface IBoundaryProps {
  trans: TranslationBundle;
  children: React.ReactNode;
}

/** Shows what went wrong in place of the view, and draws the view again on request. */
export class Boundary extends React.Component<
  IBoundaryProps,
  { failure: Error | null }
> {
  static getDerivedStateFromError(failure: Error): { failure: Error } {
    return { failure };
  }

  state: { failure: Error | null } = { failure: null };

  render(): React.ReactNode {
    const { trans, children } = this.props;
    const { failure } = this.state;
    if (!failure) {
      return children;
    }
    const error = new ApiError({
      code: failure.name,
      status: 0,
      message: trans.__(
        'This view has a defect: %1. The data is not affected.',
        failure.message
      ),
      details: failure.stack
    });
    return (
      <ErrorState
        title={trans.__('This page could not be drawn')}
        error={error}
        retry={() => this.setState({ failure: null })}
      />
    );
  }
}
