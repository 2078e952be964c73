/** A screen that broke, or an address that leads nowhere. The rest of the app goes on. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { Component, type ReactNode } from 'react';

import { wordsOf } from '../api/problem';

export function Nowhere() {
  return (
    <Alert header="There is nothing at this address" action={<Button onClick={() => window.location.assign('/')}>To the first screen</Button>}>
      The link may be old.
    </Alert>
  );
}

/** Shows what broke in place of a screen; another address (another `at`) is tried anew. */
export class Guarded extends Component<{ at: string; children: ReactNode }, { error: unknown; at: string }> {
  override state = { error: undefined as unknown, at: this.props.at };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps(props: { at: string }, state: { at: string }) {
    return props.at === state.at ? null : { at: props.at, error: undefined };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    // A tab of before an upgrade asks for files that are no more: loading anew is the cure.
    const stale = error instanceof TypeError && /module/.test(error.message);
    return (
      <Alert
        type="error"
        header={stale ? 'PRISM was updated' : 'This screen broke'}
        action={<Button onClick={() => window.location.reload()}>Load it again</Button>}
      >
        {stale ? 'This tab is of the version before.' : wordsOf(error)}
      </Alert>
    );
  }
}
