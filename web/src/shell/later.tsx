/**
 * Code of what opens by an action: a dialog, a panel. The screen comes first, and this is there before a hand reaches it.
 * Belongs here: when such code is read. Does not belong here: the screens themselves (screens.ts).
 */
import { lazy, Suspense, type ComponentType, type ReactNode } from 'react';

/** A first load of a screen is over by then, also on a slow machine. */
const AHEAD_AFTER_MS = 2_500;

/** The component that `load` brings, of the same type; nothing is shown until it is there. */
export function later<C extends (props: never) => ReactNode>(load: () => Promise<C>): C {
  let found: Promise<C> | undefined;
  // One that could not be read is asked for again when it is opened.
  const once = () => (found ??= load().catch((error: unknown) => { found = undefined; throw error; }));
  const Loaded = lazy(async () => ({ default: (await once()) as unknown as ComponentType<object> }));
  window.setTimeout(() => void once().catch(() => undefined), AHEAD_AFTER_MS);
  const Later = (props: object) => (
    <Suspense fallback={null}>
      <Loaded {...props} />
    </Suspense>
  );
  return Later as unknown as C;
}
