/** The session of this tab for components. Belongs here: the context. Does not belong here: signing in (auth/). */
import { createContext, useContext } from 'react';

import { hasOne, PLANNERS, type Role } from '../auth/roles';
import type { Session } from '../auth/session';
import type { Config } from '../config';

export interface SignedIn {
  session: Session;
  config: Config;
  /** The time zone that times are shown in. */
  zone: string;
}

export const SignedInContext = createContext<SignedIn | undefined>(undefined);

export function useSignedIn(): SignedIn {
  const found = useContext(SignedInContext);
  if (!found) throw new Error('used outside the shell');
  return found;
}

export function useZone(): string {
  return useSignedIn().zone;
}

export function useMay(wanted: readonly Role[] = PLANNERS): boolean {
  return hasOne(useSignedIn().session.roles, wanted);
}
