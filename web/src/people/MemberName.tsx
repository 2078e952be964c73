/** The name of a member by id; the id itself where it is nobody's any more. */
import { useMembers } from './useMembers';

export function MemberName({ id }: { id: string }) {
  const found = useMembers().data?.find(({ member_id }) => member_id === id);
  return <span title={id}>{found?.name ?? id}</span>;
}
