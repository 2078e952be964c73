/** The name of a project by id; the id itself where there is no such project, as for an unclaimed labelling job. */
import { useProjects } from './useProjects';

export function ProjectName({ id }: { id: string }) {
  const found = useProjects().data?.find(({ project_id }) => project_id === id);
  return <span title={id}>{found?.name ?? id}</span>;
}
