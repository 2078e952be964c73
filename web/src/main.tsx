/** Where it begins: styles, the cache of answers, the first component. */
import '@cloudscape-design/global-styles/index.css';
import './prism.css';

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { ApiProblem, SignedOut } from './api/problem';
import Start from './shell/Start';
import { applyPreferredMode } from './shell/theme';

applyPreferredMode();

const MOST_TRIES = 2;
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: true,
      // What a person must mend is not asked again; a busy platform is, twice.
      retry: (failures, error) =>
        failures < MOST_TRIES && !(error instanceof SignedOut) && !(error instanceof ApiProblem && error.status < 500),
    },
  },
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Start />
    </QueryClientProvider>
  </StrictMode>,
);
