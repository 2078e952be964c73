/** A screen that broke, or an address that leads nowhere. The rest of the app goes on. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { isRouteErrorResponse, useRouteError } from 'react-router';

import { wordsOf } from '../api/problem';

export function RouteError() {
  const error = useRouteError();
  const nowhere = isRouteErrorResponse(error) && error.status === 404;
  // A tab of before an upgrade asks for files that are no more: loading anew is the cure.
  const stale = error instanceof TypeError && /dynamically imported module|module script/.test(error.message);
  return (
    <Alert
      type={nowhere ? 'info' : 'error'}
      header={nowhere ? 'There is nothing at this address' : stale ? 'PRISM was updated' : 'This screen broke'}
      action={<Button onClick={() => window.location.assign(nowhere ? '/' : window.location.href)}>{nowhere ? 'To the first screen' : 'Load it again'}</Button>}
    >
      {nowhere ? 'The link may be old.' : stale ? 'This tab is of the version before.' : wordsOf(error)}
    </Alert>
  );
}
