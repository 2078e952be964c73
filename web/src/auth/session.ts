/**
 * Who is signed in: authorization code with PKCE against the user pool, tokens in the tab's session storage.
 * Belongs here: sign-in, sign-out, renewal, the access token. Does not belong here: what a role may do (roles.ts).
 */
import { User, UserManager, WebStorageStateStore } from 'oidc-client-ts';

import type { Config } from '../config';
import { rolesOf, type Role } from './roles';

export interface Session {
  email: string;
  sub: string;
  roles: readonly Role[];
}

export const CALLBACK_PATH = '/auth/callback';
const SIGNED_OUT_PATH = '/';

let manager: UserManager | undefined;
let endSession = '';

export function configureSignIn(config: Config): void {
  const own = window.location.origin;
  manager = new UserManager({
    authority: own,
    metadataUrl: new URL(config.metadata_url, own).href,
    client_id: config.client_id,
    redirect_uri: `${own}${CALLBACK_PATH}`,
    response_type: 'code',
    scope: 'openid email profile',
    // The end of a session of Cognito takes other names than OpenID's: see signOut().
    automaticSilentRenew: true,
    userStore: new WebStorageStateStore({ store: window.sessionStorage }),
    stateStore: new WebStorageStateStore({ store: window.sessionStorage }),
  });
  endSession = `client_id=${encodeURIComponent(config.client_id)}&logout_uri=${encodeURIComponent(own + SIGNED_OUT_PATH)}`;
}

function theManager(): UserManager {
  if (!manager) throw new Error('sign-in was not configured');
  return manager;
}

/** The session of this tab, renewed if its token has run out; undefined when nobody is signed in. */
export async function currentSession(): Promise<Session | undefined> {
  const user = await theManager().getUser();
  if (!user) return undefined;
  if (!user.expired) return sessionOf(user);
  return renewed();
}

export async function accessToken(): Promise<string | undefined> {
  const user = await theManager().getUser();
  if (user && !user.expired) return user.access_token;
  return (await renewed()) ? (await theManager().getUser())?.access_token : undefined;
}

let renewing: Promise<Session | undefined> | undefined;

/** A new access token by the refresh token; undefined when the session is over. One at a time. */
export function renewed(): Promise<Session | undefined> {
  renewing ??= renew()
    .catch(() => undefined)
    .finally(() => {
      renewing = undefined;
    });
  return renewing;
}

async function renew(): Promise<Session | undefined> {
  // Without a refresh token the library would try a hidden frame, which the policy forbids.
  if (!(await theManager().getUser())?.refresh_token) return undefined;
  const user = await theManager().signinSilent();
  return user ? sessionOf(user) : undefined;
}

/** Off to the sign-in page; the address of now is where one comes back to. */
export async function signIn(): Promise<void> {
  const { pathname, search } = window.location;
  const back = pathname === CALLBACK_PATH ? '/' : pathname + search;
  await theManager().signinRedirect({ state: back });
}

/** At the callback: the code becomes tokens. Answers where the person wanted to go. */
export async function finishSignIn(): Promise<string> {
  const user = await theManager().signinRedirectCallback();
  const back = typeof user.state === 'string' ? user.state : '/';
  // Never off this origin, whatever the state says.
  return back.startsWith('/') && !back.startsWith('//') ? back : '/';
}

export async function signOut(): Promise<void> {
  const metadata = await theManager().metadataService.getMetadata();
  await theManager().removeUser();
  const page = metadata.end_session_endpoint ?? `${window.location.origin}/logout`;
  window.location.assign(`${page}?${endSession}`);
}

/** Tells when the session of this tab ended elsewhere or could not be renewed. */
export function onSessionEnd(tell: () => void): () => void {
  const events = theManager().events;
  events.addUserUnloaded(tell);
  events.addSilentRenewError(tell);
  return () => {
    events.removeUserUnloaded(tell);
    events.removeSilentRenewError(tell);
  };
}

function sessionOf(user: User): Session {
  return { email: user.profile.email ?? user.profile.sub, sub: user.profile.sub, roles: rolesOf(user.access_token) };
}
