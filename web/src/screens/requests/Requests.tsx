/** The Requests screen: what waits for a step, and everything that was ever asked for. */
import { ResourceScreen } from '../../resource/ResourceScreen';
import { ScreenTabs } from '../../resource/ScreenTabs';
import { INBOX, REQUESTS } from './descriptions';

export default function Requests() {
  return (
    <ScreenTabs
      label="Requests"
      tabs={[
        {
          id: 'inbox',
          label: 'Inbox',
          content: (
            <ResourceScreen
              resource={INBOX}
              screen="requests"
              title="Requests that wait"
              about="Submitted, triaged or approved; what is due first stands first. A request has until the end of its due date in UTC."
            />
          ),
        },
        {
          id: 'all',
          label: 'All',
          content: <ResourceScreen resource={REQUESTS} screen="requests" title="All requests" />,
        },
      ]}
    />
  );
}
