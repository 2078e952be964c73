/** The Throughput screen: what was done, whose it is, and which published figures are other ones now. */
import type { QueryClient } from '@tanstack/react-query';

import { corrections } from '../../figures/corrections';
import { disputes } from '../../figures/disputes';
import { ResourceScreen } from '../../resource/ResourceScreen';
import { ScreenTabs } from '../../resource/ScreenTabs';
import type { State } from '../../resource/useAddress';
import { Restatements } from './Restatements';
import { askAhead, Weeks } from './Weeks';

const CORRECTIONS = corrections('throughput');
const DISPUTES = disputes('throughput');

export function ahead(queries: QueryClient, state: State): void {
  if ((state.tab?.[0] ?? 'weeks') === 'weeks') askAhead(queries, state);
}

export default function Throughput() {
  return (
    <ScreenTabs
      label="Throughput"
      tabs={[
        { id: 'weeks', label: 'Weeks', content: <Weeks /> },
        {
          id: 'corrections',
          label: 'Corrections',
          content: <ResourceScreen resource={CORRECTIONS} screen="throughput" title="Corrections of throughput" about="Work that counts for somebody else than the records say. The last twelve weeks, unless a week is named." />,
        },
        {
          id: 'disputes',
          label: 'Disputes',
          content: <ResourceScreen resource={DISPUTES} screen="throughput" title="Disputes about throughput" about="A member says that a figure is wrong; a correction or a reason answers." />,
        },
        { id: 'restatements', label: 'Restatements', content: <Restatements /> },
      ]}
    />
  );
}
