/** Who did something, as a person reads it: a member by name, an account that is no member by its beginning. */
import { useSignedIn } from '../shell/session';
import { MemberName } from './MemberName';

const ACCOUNT = 'user:';
const SHORT = 8;

/** The words for an account; undefined for an id of anything else. */
export function accountOf(id: string, own: string): string | undefined {
  if (!id.startsWith(ACCOUNT)) return undefined;
  const account = id.slice(ACCOUNT.length);
  return account === own ? 'you' : `an account that is no member (${account.slice(0, SHORT)}…)`;
}

/** A part of the platform, such as `rules`, has its own name. Names of members are asked for only where one stands. */
export function Who({ id }: { id: string | null | undefined }) {
  const { sub } = useSignedIn().session;
  if (!id) return <>–</>;
  const account = accountOf(id, sub);
  return account ? <span title={id}>{account}</span> : <MemberName id={id} />;
}
