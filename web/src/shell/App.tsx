/**
 * The frame of every screen: top bar, navigation by role, messages, the panel beside the content.
 * Belongs here: what all screens share around them. Does not belong here: anything that only one screen shows.
 */
import Alert from '@cloudscape-design/components/alert';
import AppLayout from '@cloudscape-design/components/app-layout';
import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';
import I18nProvider from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import SplitPanel from '@cloudscape-design/components/split-panel';
import { lazy, memo, Suspense, useEffect, useMemo, useState } from 'react';
import { Outlet, useLocation } from 'react-router';

import { hasOne, READERS } from '../auth/roles';
import { refusedIn } from '../resource/useAddress';
import { SCREENS } from '../screens';
import { isWeek } from '../time/weeks';
import { Guarded } from './Broken';
import { FlashProvider } from './Flash';
import { useOpenAlerts } from './openAlerts';
import { PanelContext } from './panel';
import { usePreference } from './preferences';
import { useMay, useSignedIn } from './session';
import { SessionEnded } from './SessionEnded';
import { TopBar } from './TopBar';
import { useLeave } from './useGo';

const ALERTS = 'alerts';
/** The screen itself comes first: nobody waits for the mark. */
const MARK_AFTER_MS = 3_000;
const AlertsDrawer = lazy(() => import('../screens/alerts/Drawer'));

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
  const [drawer, setDrawer] = useState<string | null>(null);
  const told = useMay(READERS);
  const marked = useAlertsMark(told);
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
              toolsHide={!told}
              drawers={
                told
                  ? [
                      {
                        id: ALERTS,
                        content: (
                          <Suspense fallback={<Box padding="l"><Spinner /></Box>}>
                            <AlertsDrawer />
                          </Suspense>
                        ),
                        trigger: { iconName: 'notification' },
                        badge: marked,
                        defaultSize: 380,
                        resizable: true,
                        ariaLabels: {
                          drawerName: 'Alerts',
                          triggerButton: marked ? 'Alerts, some are open' : 'Alerts',
                          closeButton: 'Close the alerts',
                          resizeHandle: 'Resize the alerts',
                        },
                      },
                    ]
                  : undefined
              }
              activeDrawerId={drawer}
              onDrawerChange={({ detail }) => setDrawer(detail.activeDrawerId)}
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
      <SessionEnded />
    </I18nProvider>
  );
}

/** Whether an alert is open. */
function useAlertsMark(told: boolean): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(true), MARK_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return (useOpenAlerts(told && settled).data?.items.length ?? 0) > 0;
}

/** What an address asks for and cannot be shown: the link may have been cut short. */
function refusedOf(search: string): string[] {
  const asked = new URLSearchParams(search);
  const week = asked.get('week');
  const refused = [...asked].map(([name, value]) => refusedIn(name, value)).filter((one) => one !== undefined);
  return week !== null && !isWeek(week) ? [...refused, `“${week.slice(0, 60)}” is no week, such as 2026-W01.`] : refused;
}

function Screen() {
  const { pathname, search } = useLocation();
  const refused = refusedOf(search);
  return (
    <Guarded at={pathname + search}>
      {refused.length > 0 && <Alert type="warning" header="Something in the address cannot be shown">{refused.join(' ')}</Alert>}
      <Suspense fallback={<Box padding="xl"><Spinner /> Loading the screen</Box>}>
        <Outlet />
      </Suspense>
    </Guarded>
  );
}

function Navigation() {
  const { pathname } = useLocation();
  return <ScreenList active={`/${pathname.split('/')[1] ?? ''}`} />;
}

/** Of a screen that is shown, whatever else its address says. */
const ScreenList = memo(function ScreenList({ active }: { active: string }) {
  const { session, config } = useSignedIn();
  const leave = useLeave();
  const screens = SCREENS.filter(({ roles }) => hasOne(session.roles, roles));
  const links = Object.entries(config.links);
  const listed = (apart: boolean) =>
    screens
      .filter((screen) => (screen.apart ?? false) === apart)
      .map(({ path, title }) => ({ type: 'link' as const, text: title, href: `/${path}` }));
  const below = listed(true);
  return (
    <SideNavigation
      activeHref={active}
      onFollow={(event) => {
        if (event.detail.external) return;
        event.preventDefault();
        leave(event.detail.href);
      }}
      items={[
        ...listed(false),
        ...(below.length > 0 ? [{ type: 'divider' as const }, ...below] : []),
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
});
