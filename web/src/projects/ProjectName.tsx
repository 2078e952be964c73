/** The name of a project by id; the id itself where there is none any more. */
import { useProjects } from './useProjects';

export function ProjectName({ id }: { id: string }) {
  const found = useProjects().data?.find(({ project_id }) => project_id === id);
  return <span title={id}>{found?.name ?? id}</span>;
}
