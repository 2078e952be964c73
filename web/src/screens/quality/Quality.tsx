/** The Quality screen: entering reviews, what they come to, and what is said against them. */
import type { QueryClient } from '@tanstack/react-query';

import { PLANNERS } from '../../auth/roles';
import { corrections } from '../../figures/corrections';
import { disputes } from '../../figures/disputes';
import { ResourceScreen } from '../../resource/ResourceScreen';
import { ScreenTabs } from '../../resource/ScreenTabs';
import type { State } from '../../resource/useAddress';
import { useMay } from '../../shell/session';
import { Entry } from './Entry';
import { REVIEWS } from './reviews';
import { askAhead, Scores } from './Scores';

const CORRECTIONS = corrections('quality');
const DISPUTES = disputes('quality');

export function ahead(queries: QueryClient, state: State): void {
  if ((state.tab?.[0] ?? 'scores') === 'scores') askAhead(queries, state);
}

export default function Quality() {
  const enters = useMay(PLANNERS);
  return (
    <ScreenTabs
      label="Quality"
      tabs={[
        { id: 'scores', label: 'Scores', content: <Scores /> },
        ...(enters ? [{ id: 'entry', label: 'Enter reviews', content: <Entry /> }] : []),
        {
          id: 'reviews',
          label: 'Reviews',
          content: <ResourceScreen resource={REVIEWS} screen="quality" title="Reviews" about="As they were entered. What a raw category is called today stands beside it." />,
        },
        {
          id: 'corrections',
          label: 'Corrections',
          content: <ResourceScreen resource={CORRECTIONS} screen="quality" title="Corrections of quality" about="Reviewed work that counts for somebody else than the review says. The last twelve weeks, unless a week is named." />,
        },
        {
          id: 'disputes',
          label: 'Disputes',
          content: <ResourceScreen resource={DISPUTES} screen="quality" title="Disputes about quality" about="A member says that a figure is wrong; a correction or a reason answers." />,
        },
      ]}
    />
  );
}
