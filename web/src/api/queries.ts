/** The cache of answers, one of the page. Belongs here: how long an answer is good, and what is asked again. */
import { QueryClient } from '@tanstack/react-query';

import { ApiProblem, SignedOut } from './problem';

const MOST_TRIES = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // Asked also where the browser believes that there is no network: a wait without an end tells nobody anything.
      networkMode: 'always',
      refetchOnReconnect: true,
      refetchOnWindowFocus: true,
      // What a person must mend is not asked again; a busy platform is, twice.
      retry: (failures, error) =>
        failures < MOST_TRIES && !(error instanceof SignedOut) && !(error instanceof ApiProblem && error.status < 500),
    },
    mutations: { networkMode: 'always' },
  },
});
