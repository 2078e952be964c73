/** The app: styles, the first component. Its code is read beside that of the first screen (main.tsx). */
import '@cloudscape-design/global-styles/index.css';
import './prism.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { queries } from './api/queries';
import Start from './shell/Start';
import { applyPreferredMode } from './shell/theme';

applyPreferredMode();

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Start />
    </QueryClientProvider>
  </StrictMode>,
);
