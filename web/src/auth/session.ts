/**
 * Who is signed in: authorization code with PKCE against the user pool, tokens in the tab's session storage.
 * Belongs here: sign-in, sign-out, renewal, the access token. Does not belong here: what a role may do (roles.ts).
 */
import { ErrorResponse, User, UserManager, WebStorageStateStore } from 'oidc-client-ts';

import { Offline } from '../api/problem';
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
    popup_redirect_uri: `${own}${CALLBACK_PATH}`,
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

/**
 * The token as it is kept, without a wait: a call that an action makes is on its way before its effect is drawn.
 * Undefined where it has run out, or nobody is signed in: `accessToken` then knows more.
 */
export function tokenAtHand(): string | undefined {
  const { authority, client_id: client } = theManager().settings;
  const kept = window.sessionStorage.getItem(`oidc.user:${authority}:${client}`);
  const user = kept ? User.fromStorageString(kept) : undefined;
  return user?.expired === false ? user.access_token : undefined;
}

export async function accessToken(): Promise<string | undefined> {
  const user = await theManager().getUser();
  if (user && !user.expired) return user.access_token;
  return (await renewed()) ? (await theManager().getUser())?.access_token : undefined;
}

let renewing: Promise<Session | undefined> | undefined;

/** A new access token by the refresh token; undefined when the session is over. One at a time. Throws Offline. */
export function renewed(): Promise<Session | undefined> {
  renewing ??= renew()
    .catch((error: unknown) => {
      // The pool said no: it is over. Without an answer, nothing is known; the session may well go on.
      if (error instanceof ErrorResponse) return undefined;
      throw new Offline();
    })
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

/** In a window of its own, so that nothing of this page is lost. Throws when there is no window, or no sign-in. */
export async function signInBeside(): Promise<Session> {
  const session = sessionOf(await theManager().signinPopup());
  setEnded(false);
  return session;
}

/**
 * At the callback: the code becomes tokens. Answers where the person wanted to go; nothing in the window of
 * `signInBeside`, which hands the code to the page that opened it and closes.
 */
export async function finishSignIn(): Promise<string | undefined> {
  const state = new URLSearchParams(window.location.search).get('state')?.split(';')[0] ?? '';
  if (window.sessionStorage.getItem(`oidc.${state}`) === null) {
    await theManager().signinPopupCallback();
    return undefined;
  }
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

let ended = false;
const listeners = new Set<() => void>();

function setEnded(now: boolean): void {
  ended = now;
  for (const tell of listeners) tell();
}

/** A call found that the session is over. */
export const tellEnded = (): void => setEnded(true);
/** The person goes on without it: what they typed can still be read and copied. */
export const leaveEnded = (): void => setEnded(false);
export const isEnded = (): boolean => ended;

export function onEnd(tell: () => void): () => void {
  listeners.add(tell);
  return () => void listeners.delete(tell);
}

function sessionOf(user: User): Session {
  return { email: user.profile.email ?? user.profile.sub, sub: user.profile.sub, roles: rolesOf(user.access_token) };
}
