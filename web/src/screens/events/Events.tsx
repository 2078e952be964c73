/** The Events screen: whether every accepted event came to an end, how the promises stand, and which events failed. */
import { ScreenTabs } from '../../resource/ScreenTabs';
import { Failed } from './Failed';
import { Health } from './Health';

export default function Events() {
  return (
    <ScreenTabs
      label="Events"
      tabs={[
        { id: 'health', label: 'Health', content: <Health /> },
        { id: 'failed', label: 'Failed events', content: <Failed /> },
      ]}
    />
  );
}
