/** The name of a project by id; the id itself where there is no such project, as for an unclaimed labelling job. */
import { memo } from 'react';

import { useProjectNames } from './useProjects';

export const ProjectName = memo(function ProjectName({ id }: { id: string }) {
  return <span title={id}>{useProjectNames().get(id) ?? id}</span>;
});
