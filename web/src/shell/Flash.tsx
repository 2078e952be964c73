/**
 * What happened, told on top of every screen: successes with their undo, problems with their request id.
 * Belongs here: the list of messages and how a problem reads. Does not belong here: deciding what to tell.
 */
import Button from '@cloudscape-design/components/button';
import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { onCut } from '../api/cut';
import { ApiProblem, SignedOut, wordsOf } from '../api/problem';
import { tellEnded } from '../auth/session';

export interface Message {
  type: 'success' | 'info' | 'warning' | 'error' | 'in-progress';
  header?: string;
  content?: ReactNode;
  action?: { text: string; run: () => void };
}

interface Flashes {
  /** Tells something, in place of what was told under `id` before; answers under which id it stands. */
  tell: (message: Message, id?: string) => string;
  /** Tells a failure. */
  fail: (error: unknown, header?: string) => void;
}

const FlashContext = createContext<Flashes | undefined>(undefined);
const MOST = 5;
let number = 0;

export function useFlash(): Flashes {
  const found = useContext(FlashContext);
  if (!found) throw new Error('used outside the shell');
  return found;
}

function details(error: unknown): ReactNode {
  if (!(error instanceof ApiProblem)) return wordsOf(error);
  const { errors, request_id } = error.body;
  return (
    <>
      <div>{error.message}</div>
      {errors && errors.length > 1 && (
        <ul>
          {errors.map((one) => (
            <li key={one.path}>
              {one.path}: {one.message}
            </li>
          ))}
        </ul>
      )}
      {request_id && <small>Request {request_id}</small>}
    </>
  );
}

export function messageOf(error: unknown, header = 'That did not work'): Message {
  if (error instanceof SignedOut) {
    return { type: 'warning', header, content: error.message, action: { text: 'Sign in', run: tellEnded } };
  }
  return { type: 'error', header, content: details(error) };
}

export function FlashProvider({ children }: { children: (bar: ReactNode) => ReactNode }) {
  const [items, setItems] = useState<FlashbarProps.MessageDefinition[]>([]);
  const drop = useCallback((id: string) => setItems((all) => all.filter((one) => one.id !== id)), []);
  const tell = useCallback(
    (message: Message, told?: string) => {
      number += 1;
      const id = told ?? `flash-${number}`;
      const busy = message.type === 'in-progress';
      const { action } = message;
      const item: FlashbarProps.MessageDefinition = {
        id,
        type: message.type,
        header: message.header,
        content: message.content,
        dismissible: !busy,
        dismissLabel: 'Dismiss',
        loading: busy,
        onDismiss: () => drop(id),
        ariaRole: message.type === 'error' ? 'alert' : 'status',
        action: action && (
          <Button
            onClick={() => {
              drop(id);
              action.run();
            }}
          >
            {action.text}
          </Button>
        ),
      };
      setItems((all) => (all.some((one) => one.id === id) ? all.map((one) => (one.id === id ? item : one)) : [item, ...all].slice(0, MOST)));
      return id;
    },
    [drop],
  );
  const fail = useCallback((error: unknown, header?: string) => void tell(messageOf(error, header)), [tell]);
  useEffect(
    () =>
      onCut((path, rows) => {
        const kind = path.split('/').at(-1)?.replaceAll('-', ' ');
        tell({ type: 'warning', header: 'Not everything was read', content: `There are more than ${rows} ${kind}. Names, choices and sums on this screen leave the others out.` });
      }),
    [tell],
  );
  const flashes = useMemo(() => ({ tell, fail }), [tell, fail]);
  return <FlashContext.Provider value={flashes}>{children(<Flashbar items={items} />)}</FlashContext.Provider>;
}
