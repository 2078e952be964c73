/** The Bug Tracker: what people found wrong with the platform, and what becomes of it. */
import { PLANNERS } from '../../auth/roles';
import { ResourceScreen } from '../../resource/ResourceScreen';
import { useMay } from '../../shell/session';
import { BUGS, REPORTS } from './report';

export default function Bugs() {
  const decides = useMay(PLANNERS);
  return (
    <ResourceScreen
      resource={decides ? BUGS : REPORTS}
      screen="bugs"
      title="Bugs"
      about="What is wrong with the platform itself. Anybody can report a bug; leads decide what becomes of it."
    />
  );
}
