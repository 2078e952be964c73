/** The name of a member by id; the id itself where it is nobody's any more. */
import { memo } from 'react';

import { useMemberNames } from './useMembers';

export const MemberName = memo(function MemberName({ id }: { id: string }) {
  return <span title={id}>{useMemberNames().get(id) ?? id}</span>;
});
