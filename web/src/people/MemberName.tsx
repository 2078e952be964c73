/** The name of a member by id; the id itself where it is nobody's any more. */
import { useMemberNames } from './useMembers';

export function MemberName({ id }: { id: string }) {
  return <span title={id}>{useMemberNames().get(id) ?? id}</span>;
}
