/**
 * The week that a screen shows: that of the address, else the one in which it was opened, which is written there: a link
 * that is sent on Friday shows on Monday what its sender saw, and a tab that is left open over Sunday goes on with the
 * week that its person looked at; the picker then leads to the new one.
 */
import { useEffect, useState } from 'react';

import type { Address, State } from '../resource/useAddress';
import { addWeeks, isWeek } from './weeks';
import { thisWeek } from './WeekPicker';

/** `ahead` weeks from this one, where the address names none; `unsaid` leaves the address of a list without a week as it is. */
export function useWeek(address: Address, ahead = 0, unsaid = false): string {
  const [opened] = useState(() => addWeeks(thisWeek(), ahead));
  const { set, state } = address;
  const missing = !unsaid && state.week === undefined;
  const page = state.page;
  useEffect(() => {
    // No step of its own, and the same page: nothing else is shown.
    if (missing) set({ week: opened, page }, 'typed');
  }, [missing, opened, page, set]);
  return weekIn(address.state) ?? opened;
}

export function weekIn(state: State): string | undefined {
  const wanted = state.week?.[0];
  return wanted && isWeek(wanted) ? wanted : undefined;
}
