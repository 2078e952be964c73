/**
 * What a person prefers in this browser: light or dark, the time zone, columns of a table. Kept in local storage.
 * Belongs here: preferences of looks. Does not belong here: the state of a screen, which is in its address.
 */
import { useCallback, useSyncExternalStore } from 'react';

const PREFIX = 'prism.';
const listeners = new Set<() => void>();

/** The name of a preference in local storage, by which a `storage` event tells of it. */
export const storedAs = (name: string): string => PREFIX + name;

function read(name: string): string | null {
  try {
    return window.localStorage.getItem(storedAs(name));
  } catch {
    return null; // storage is closed to this page: preferences last as long as it
  }
}

const fallback = new Map<string, string>();

export function preference(name: string): string | undefined {
  return read(name) ?? fallback.get(name);
}

export function setPreference(name: string, value: string): void {
  fallback.set(name, value);
  try {
    window.localStorage.setItem(storedAs(name), value);
  } catch {
    // as above
  }
  for (const tell of listeners) tell();
}

/** A preference and its setter; a change is seen everywhere at once. */
export function usePreference(name: string, initial: string): [string, (value: string) => void] {
  const subscribe = useCallback((tell: () => void) => {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  const value = useSyncExternalStore(subscribe, () => preference(name) ?? initial);
  return [value, useCallback((next: string) => setPreference(name, next), [name])];
}
