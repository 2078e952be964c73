/**
 * The week that a screen shows: that of the address, else the one in which it was opened. A tab that is left open over
 * Sunday goes on with the week that its person looked at; the picker then leads to the new one.
 */
import { useState } from 'react';

import type { Address, State } from '../resource/useAddress';
import { addWeeks, isWeek } from './weeks';
import { thisWeek } from './WeekPicker';

/** `ahead` weeks from this one, where the address names none. */
export function useWeek(address: Address, ahead = 0): string {
  const [opened] = useState(() => addWeeks(thisWeek(), ahead));
  return weekIn(address.state) ?? opened;
}

export function weekIn(state: State): string | undefined {
  const wanted = state.week?.[0];
  return wanted && isWeek(wanted) ? wanted : undefined;
}
