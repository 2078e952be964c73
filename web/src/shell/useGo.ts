/**
 * Going to an address, by a function that stays the same: who only goes somewhere is not drawn anew for every address.
 * Belongs here: the way into the router. Does not belong here: what an address says (resource/useAddress.ts).
 */
import { createContext, startTransition, useCallback, useContext, useLayoutEffect, useMemo, useRef } from 'react';
import { useNavigate, type NavigateOptions } from 'react-router';

export type Go = (to: string, how?: NavigateOptions) => void;

export const GoContext = createContext<Go>(() => undefined);

/** The way through this router, for its provider. */
export function useWay(): Go {
  const navigate = useNavigate();
  const newest = useRef(navigate);
  useLayoutEffect(() => {
    newest.current = navigate;
  });
  return useMemo(() => (to, how) => void newest.current(to, how), []);
}

/** To an address of the screen, at once. */
export const useGo = (): Go => useContext(GoContext);

/** To another screen: the one that is shown stays until the code of the other is there. */
export function useLeave(): (to: string) => void {
  const go = useGo();
  return useCallback((to: string) => startTransition(() => go(to)), [go]);
}
