/** The parts of a screen, one at a time; which one is `tab` in the address. As-of, and what `keep` names, stays. */
import Tabs from '@cloudscape-design/components/tabs';
import type { ReactNode } from 'react';

import { useAddress } from './useAddress';

export interface ScreenTab {
  id: string;
  label: string;
  content: ReactNode;
}

interface Props {
  label: string;
  tabs: readonly ScreenTab[];
  /** Parameters of the address that all tabs share. */
  keep?: readonly string[];
}

export function ScreenTabs({ label, tabs, keep = [] }: Props) {
  const address = useAddress();
  const wanted = address.one('tab');
  const active = tabs.find(({ id }) => id === wanted) ?? tabs[0];
  const kept = Object.fromEntries(Object.entries(address.state).filter(([name]) => name === 'as_of' || keep.includes(name)));
  return (
    <Tabs
      ariaLabel={label}
      disableContentPaddings
      activeTabId={active?.id}
      tabs={tabs.map((tab) => ({
        id: tab.id,
        label: tab.label,
        content: tab.id === active?.id ? <div className="below-tabs">{tab.content}</div> : null,
      }))}
      onChange={({ detail }) => address.replace({ tab: [detail.activeTabId], ...kept })}
    />
  );
}
