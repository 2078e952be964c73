/**
 * What happened, told on top of every screen: successes with their undo, problems with their request id.
 * Belongs here: the list of messages and how a problem reads. Does not belong here: deciding what to tell.
 */
import Button from '@cloudscape-design/components/button';
import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react';

import { ApiProblem, SignedOut, wordsOf } from '../api/problem';
import { tellEnded } from '../auth/session';

export interface Message {
  type: 'success' | 'info' | 'warning' | 'error' | 'in-progress';
  header?: string;
  content?: ReactNode;
  action?: { text: string; run: () => void };
}

interface Flashes {
  tell: (message: Message) => void;
  /** Tells a failure; answers nothing, so that it can end a chain of promises. */
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
    (message: Message) => {
      number += 1;
      const id = `flash-${number}`;
      const { action } = message;
      const item: FlashbarProps.MessageDefinition = {
        id,
        type: message.type,
        header: message.header,
        content: message.content,
        dismissible: true,
        dismissLabel: 'Dismiss',
        loading: message.type === 'in-progress',
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
      setItems((all) => [item, ...all].slice(0, MOST));
    },
    [drop],
  );
  const fail = useCallback((error: unknown, header?: string) => tell(messageOf(error, header)), [tell]);
  const flashes = useMemo(() => ({ tell, fail }), [tell, fail]);
  return <FlashContext.Provider value={flashes}>{children(<Flashbar items={items} />)}</FlashContext.Provider>;
}
