/**
 * The frame of every screen: top bar, navigation by role, messages, the panel beside the content.
 * Belongs here: what all screens share around them. Does not belong here: anything that only one screen shows.
 */
import AppLayout from '@cloudscape-design/components/app-layout';
import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';
import I18nProvider from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import SplitPanel from '@cloudscape-design/components/split-panel';
import { Suspense, useMemo, useState } from 'react';
import { Outlet, useLocation, useNavigate } from 'react-router';

import { hasOne } from '../auth/roles';
import { SCREENS } from '../screens';
import { Guarded } from './Broken';
import { FlashProvider } from './Flash';
import { PanelContext } from './panel';
import { usePreference } from './preferences';
import { useSignedIn } from './session';
import { TopBar } from './TopBar';

interface OpenPanel {
  title: string;
  close: () => void;
}

export default function App() {
  const [panel, setPanel] = useState<OpenPanel | undefined>();
  const [host, setHost] = useState<HTMLElement | null>(null);
  const [size, setSize] = usePreference('panel-size', '520');
  const [navigation, setNavigation] = usePreference('navigation', 'open');
  const place = useMemo(() => ({ host, open: setPanel }), [host]);
  return (
    <I18nProvider locale="en" messages={[messages]}>
      <div id="top-bar">
        <TopBar />
      </div>
      <FlashProvider>
        {(bar) => (
          <PanelContext.Provider value={place}>
            <AppLayout
              headerSelector="#top-bar"
              notifications={bar}
              stickyNotifications
              toolsHide
              contentType="table"
              maxContentWidth={Number.MAX_VALUE}
              navigation={<Navigation />}
              navigationOpen={navigation === 'open'}
              onNavigationChange={({ detail }) => setNavigation(detail.open ? 'open' : 'closed')}
              navigationWidth={220}
              content={<Screen />}
              splitPanelOpen={panel !== undefined}
              splitPanelPreferences={{ position: 'side' }}
              splitPanelSize={Number(size)}
              onSplitPanelResize={({ detail }) => setSize(String(Math.round(detail.size)))}
              onSplitPanelToggle={({ detail }) => !detail.open && panel?.close()}
              splitPanel={
                panel && (
                  <SplitPanel header={panel.title} closeBehavior="hide" hidePreferencesButton>
                    <div ref={setHost} />
                  </SplitPanel>
                )
              }
              ariaLabels={{
                notifications: 'Messages',
                navigation: 'Screens',
                navigationToggle: 'Open the list of screens',
                navigationClose: 'Close the list of screens',
              }}
            />
          </PanelContext.Provider>
        )}
      </FlashProvider>
    </I18nProvider>
  );
}

function Screen() {
  const { pathname } = useLocation();
  return (
    <Guarded at={pathname}>
      <Suspense fallback={<Box padding="xl"><Spinner /> Loading the screen</Box>}>
        <Outlet />
      </Suspense>
    </Guarded>
  );
}

function Navigation() {
  const { session, config } = useSignedIn();
  const location = useLocation();
  const navigate = useNavigate();
  const screens = SCREENS.filter(({ roles }) => hasOne(session.roles, roles));
  const links = Object.entries(config.links);
  return (
    <SideNavigation
      activeHref={`/${location.pathname.split('/')[1] ?? ''}`}
      onFollow={(event) => {
        if (event.detail.external) return;
        event.preventDefault();
        void navigate(event.detail.href);
      }}
      items={[
        ...screens.map(({ path, title }) => ({ type: 'link' as const, text: title, href: `/${path}` })),
        ...(links.length > 0 && !session.roles.every((role) => role === 'annotator')
          ? [
              { type: 'divider' as const },
              ...links.map(([text, href]) => ({
                type: 'link' as const,
                text,
                href,
                external: true,
                externalIconAriaLabel: 'opens in a new tab',
              })),
            ]
          : []),
      ]}
    />
  );
}
