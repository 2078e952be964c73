/**
 * What stands before the app: signing in, coming back from it, and the first screen of a role.
 * Belongs here: routes and the session. Does not belong here: the frame (App.tsx).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Spinner from '@cloudscape-design/components/spinner';
import { lazy, useEffect, useMemo, useState, type ReactNode } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';

import { wordsOf } from '../api/problem';
import { queries } from '../api/queries';
import { hasOne, type Role } from '../auth/roles';
import { CALLBACK_PATH, configureSignIn, currentSession, finishSignIn, signIn, type Session } from '../auth/session';
import { readConfig, type Config } from '../config';
import { stateOf } from '../resource/useAddress';
import { named, SCREENS } from '../screens';
import { BROWSER_ZONE } from '../time/zone';
import App from './App';
import { usePreference } from './preferences';
import { Nowhere } from './Broken';
import { SignedInContext, useSignedIn } from './session';
import { GoContext, useWay } from './useGo';

interface Ready {
  config: Config;
  session: Session;
}

const ORPHAN_MS = 5_000;

async function start(): Promise<Ready | undefined> {
  const config = await readConfig();
  configureSignIn(config);
  if (window.location.pathname === CALLBACK_PATH) {
    const back = await finishSignIn();
    if (back === undefined) {
      // The page that asked closes this window; an old link into the middle of a sign-in begins anew.
      window.setTimeout(() => window.location.replace('/'), ORPHAN_MS);
      return undefined;
    }
    window.history.replaceState(null, '', back);
  }
  const session = await currentSession();
  if (session) return { config, session };
  await signIn();
  return undefined; // the browser is leaving for the sign-in page
}

function FirstScreen() {
  const { session } = useSignedIn();
  const mine = SCREENS.filter(({ roles }) => hasOne(session.roles, roles));
  const own = session.roles.includes('annotator') ? mine.find(({ path }) => path === 'dashboard') : mine[0];
  if (own) return <Navigate to={`/${own.path}`} replace />;
  return <Alert type="warning">Your account has no role yet. Ask an administrator of PRISM for one.</Alert>;
}

const PAGES = SCREENS.map(({ load, ...screen }) => ({ ...screen, Page: lazy(load) }));

/** A link to a screen that is not for this role: the API would refuse all of it. */
function ForRoles({ title, roles, children }: { title: string; roles: readonly Role[]; children: ReactNode }) {
  const { session } = useSignedIn();
  if (hasOne(session.roles, roles)) return children;
  return (
    <Alert type="warning" header={`${title} is not for your role`}>
      {`It is for ${roles.join(', ')}; you are ${session.roles.join(', ') || 'without a role'}. The screens of yours are in the navigation.`}
    </Alert>
  );
}

function Waiting() {
  return (
    <Box padding="xxxl" textAlign="center">
      <Spinner size="large" /> <span>Loading</span>
    </Box>
  );
}

function Ways({ children }: { children: ReactNode }) {
  return <GoContext.Provider value={useWay()}>{children}</GoContext.Provider>;
}

/** What the first screen shows is asked for while the frame is drawn. */
async function askAhead(ready: Ready | undefined): Promise<void> {
  if (!ready || !named || !hasOne(ready.session.roles, named.roles)) return;
  (await named.load()).ahead?.(queries, stateOf(new URLSearchParams(window.location.search)));
}

// Before anything is drawn.
const beginning = start();
beginning.then(askAhead).catch(() => undefined); // told below; whoever draws the screen asks for it again

export default function Start() {
  const [ready, setReady] = useState<Ready | undefined>();
  const [error, setError] = useState<unknown>();
  const [zone] = usePreference('zone', BROWSER_ZONE);
  useEffect(() => {
    beginning.then(setReady, setError);
  }, []);
  const signedIn = useMemo(() => ready && { ...ready, zone }, [ready, zone]);
  if (error !== undefined) {
    return (
      <main>
        <Box padding="xxxl">
          <Alert
            type="error"
            header="PRISM cannot be reached"
            action={<Button onClick={() => window.location.assign('/')}>Try again</Button>}
          >
            {wordsOf(error)}
          </Alert>
        </Box>
      </main>
    );
  }
  if (!signedIn) {
    return (
      <main>
        <Waiting />
      </main>
    );
  }
  return (
    <SignedInContext.Provider value={signedIn}>
      {/* What a hand does to the address is drawn at once: letters that are typed are the value of their input. */}
      <BrowserRouter useTransitions={false}>
        <Ways>
          <Routes>
            <Route path="/" element={<App />}>
              <Route index element={<FirstScreen />} />
              {PAGES.map(({ path, title, roles, Page }) => (
                <Route key={path} path={`${path}/*`} element={<ForRoles title={title} roles={roles}><Page /></ForRoles>} />
              ))}
              <Route path="*" element={<Nowhere />} />
            </Route>
          </Routes>
        </Ways>
      </BrowserRouter>
    </SignedInContext.Provider>
  );
}
