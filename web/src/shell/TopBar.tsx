/** The bar on top: who is signed in, the time zone of all times, light or dark. */
import TopNavigation from '@cloudscape-design/components/top-navigation';

import { signOut } from '../auth/session';
import { BROWSER_ZONE } from '../time/zone';
import { usePreference } from './preferences';
import { useSignedIn } from './session';
import { MODES, useMode } from './theme';
import { useLeave } from './useGo';

const ZONES = ['UTC', 'Europe/Madrid', 'Europe/London', 'America/New_York', 'America/Los_Angeles', 'Asia/Kolkata'];
const MODE_NAMES: Record<string, string> = { system: 'System colours', light: 'Light', dark: 'Dark' };

export function TopBar() {
  const { session } = useSignedIn();
  const [zone, setZone] = usePreference('zone', BROWSER_ZONE);
  const [mode, setMode] = useMode();
  const leave = useLeave();
  const zones = [...new Set([BROWSER_ZONE, ...ZONES, zone])];
  return (
    <TopNavigation
      identity={{
        href: '/',
        title: 'PRISM',
        onFollow: (event) => {
          event.preventDefault();
          leave('/');
        },
      }}
      i18nStrings={{ overflowMenuTriggerText: 'More', overflowMenuTitleText: 'All' }}
      utilities={[
        {
          type: 'menu-dropdown',
          text: zone,
          title: 'Time zone of all times',
          ariaLabel: `Time zone: ${zone}`,
          items: zones.map((id) => ({ id, text: id === BROWSER_ZONE ? `${id} (this browser)` : id })),
          onItemClick: ({ detail }) => setZone(detail.id),
        },
        {
          type: 'menu-dropdown',
          text: MODE_NAMES[mode] ?? mode,
          title: 'Appearance',
          ariaLabel: `Appearance: ${MODE_NAMES[mode] ?? mode}`,
          items: MODES.map((id) => ({ id, text: MODE_NAMES[id] ?? id })),
          onItemClick: ({ detail }) => setMode(detail.id),
        },
        {
          type: 'menu-dropdown',
          iconName: 'user-profile',
          text: session.email,
          description: session.roles.join(', ') || 'no role',
          items: [{ id: 'sign-out', text: 'Sign out' }],
          onItemClick: () => void signOut(),
        },
      ]}
    />
  );
}
