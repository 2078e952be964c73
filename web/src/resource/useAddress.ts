/**
 * The state of a screen is its address: filters, order, week, as-of, the open item. A link shows what its sender saw.
 * The parameters have the names of the API, so that a list is asked with what stands in the address.
 */
import { useCallback, useEffect, useEffectEvent, useMemo, useState } from 'react';
import { useLocation } from 'react-router';

import { useGo } from '../shell/useGo';
import { isDay } from '../time/weeks';

export type State = Record<string, string[]>;
/** Of the screen, not of the list. */
export const OWN_NAMES: readonly string[] = ['tab', 'item', 'page'];

/** What becomes of some parameters; undefined or nothing removes one. */
export type Changes = Record<string, string | string[] | undefined>;

export interface Address {
  state: State;
  one: (name: string) => string | undefined;
  /**
   * Sets some parameters. The page starts anew unless it is named. What is typed letter by letter is `typed`: one step
   * back leads to before all of it.
   */
  set: (changes: Changes, how?: 'typed') => void;
  /** Puts a whole state in place of the present one. */
  replace: (state: State) => void;
}

/** Why a parameter of the address cannot be shown; the shell says so, and the screen goes on without it. */
export function refusedIn(name: string, value: string): string | undefined {
  if (name === 'as_of' && Number.isNaN(Date.parse(value))) return `“${value.slice(0, 60)}” is no instant; what is known now is shown.`;
  if (name === 'last' && !isDay(value)) return `“${value.slice(0, 60)}” is no day; the newest ones are shown.`;
  return undefined;
}

/** The parameters of an address, without those that cannot be shown. */
export function stateOf(parameters: URLSearchParams): State {
  const found: State = {};
  for (const [name, value] of parameters) if (!refusedIn(name, value)) (found[name] ??= []).push(value);
  return found;
}

/** The parameters after some changes. */
export function changed(parameters: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(parameters);
  // Opening an item is no new list.
  if (!('page' in changes) && !Object.keys(changes).every((name) => name === 'item')) next.delete('page');
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one) next.append(name, one);
  }
  return next;
}

const hearing = new Set<(state: State) => void>();

/** Tells what the address is about to be, before anything is drawn: what it needs is asked for meanwhile. */
export function useComing(hear: (state: State) => void): void {
  const heard = useEffectEvent(hear);
  useEffect(() => {
    const one = (state: State) => heard(state);
    hearing.add(one);
    return () => void hearing.delete(one);
  }, []);
}

function tell(next: URLSearchParams): void {
  const state = stateOf(next);
  for (const hear of hearing) hear(state);
}

/** Of the browser: it is there at once, also where two changes come before anything is drawn. */
const ofNow = () => new URLSearchParams(window.location.search);

/** Changes the address from what it is then; who does only that is not drawn for each address. */
export function useSet(): Address['set'] {
  const go = useGo();
  return useCallback(
    (changes, how) => {
      const next = changed(ofNow(), changes);
      tell(next);
      go(`?${next}`, { replace: how === 'typed' });
    },
    [go],
  );
}

/** Whether the screen that was drawn is shown: what a call answers late is no state of another one. */
export function useStillHere(): () => boolean {
  const [here] = useState(() => window.location.pathname);
  return useCallback(() => window.location.pathname === here, [here]);
}

/** Where changes would lead, at this moment. */
export const placeOf = (changes: Changes): string => `?${changed(ofNow(), changes)}`;

export function useAddress(): Address {
  const { search } = useLocation();
  const go = useGo();
  const set = useSet();
  const state = useMemo(() => stateOf(new URLSearchParams(search)), [search]);
  const replace = useCallback(
    (next: State) => {
      const found = new URLSearchParams();
      for (const [name, values] of Object.entries(next)) for (const value of values) found.append(name, value);
      tell(found);
      go(`?${found}`);
    },
    [go],
  );
  const one = useCallback((name: string) => state[name]?.[0], [state]);
  return useMemo(() => ({ state, one, set, replace }), [state, one, set, replace]);
}
