/** The parts of a screen, one at a time; which one is `tab` in the address. As-of stays when the tab changes. */
import Tabs from '@cloudscape-design/components/tabs';
import type { ReactNode } from 'react';

import { useAddress } from './useAddress';

export interface ScreenTab {
  id: string;
  label: string;
  content: ReactNode;
}

export function ScreenTabs({ label, tabs }: { label: string; tabs: readonly ScreenTab[] }) {
  const address = useAddress();
  const wanted = address.one('tab');
  const active = tabs.find(({ id }) => id === wanted) ?? tabs[0];
  const asOf = address.one('as_of');
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
      onChange={({ detail }) => address.replace({ tab: [detail.activeTabId], ...(asOf ? { as_of: [asOf] } : {}) })}
    />
  );
}
