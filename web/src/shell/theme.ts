/** Light, dark, or as the system says. Belongs here: applying it. */
import { applyMode, Mode } from '@cloudscape-design/global-styles';
import { useEffect } from 'react';

import { preference, usePreference } from './preferences';

export const MODES = ['system', 'light', 'dark'] as const;

function apply(mode: string): void {
  const system = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const paper = window.matchMedia('print').matches; // ink on white, whatever the screen is
  applyMode(!paper && (mode === 'dark' || (mode === 'system' && system)) ? Mode.Dark : Mode.Light);
}

/** Before the first paint, so that a dark screen does not flash white. */
export function applyPreferredMode(): void {
  apply(preference('mode') ?? 'system');
}

export function useMode(): [string, (mode: string) => void] {
  const [mode, setMode] = usePreference('mode', 'system');
  useEffect(() => {
    apply(mode);
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    const follow = () => apply(mode);
    const paper = window.matchMedia('print');
    for (const one of [system, paper]) one.addEventListener('change', follow);
    return () => {
      for (const one of [system, paper]) one.removeEventListener('change', follow);
    };
  }, [mode]);
  return [mode, setMode];
}
