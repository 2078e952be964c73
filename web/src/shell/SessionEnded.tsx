/**
 * A session that ended while somebody works: asks to sign in over whatever is open, in a window of its own, and goes on
 * where they were. Belongs here: the question. Does not belong here: signing in (auth/session.ts).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQueryClient } from '@tanstack/react-query';
import { useState, useSyncExternalStore } from 'react';

import { wordsOf } from '../api/problem';
import { isEnded, leaveEnded, onEnd, signIn, signInBeside } from '../auth/session';
import { useSignedIn } from './session';

export function SessionEnded() {
  const ended = useSyncExternalStore(onEnd, isEnded);
  const { session } = useSignedIn();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (!ended) return null;
  const beside = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const next = await signInBeside();
      // Somebody else, or with another role: nothing of what is shown here is theirs.
      if (next.sub !== session.sub || next.roles.join() !== session.roles.join()) window.location.assign('/');
      else void queries.invalidateQueries();
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Your session has ended"
      onDismiss={leaveEnded}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={leaveEnded}>
              Not now
            </Button>
            <Button variant="primary" loading={busy} onClick={() => void beside()}>
              Sign in
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Box>
          Sign in again as {session.email} in a window of its own. What you typed stays as it is; what was refused can then be sent again.
        </Box>
        {error !== undefined && (
          <Alert type="warning" header="That did not work" action={<Button onClick={() => void signIn()}>Sign in on this page</Button>}>
            {wordsOf(error)}. Let the browser open windows of PRISM, or sign in on this page: forms of one item are put back
            afterwards, other dialogs are not.
          </Alert>
        )}
      </SpaceBetween>
    </Modal>
  );
}
