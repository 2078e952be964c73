/**
 * The screens: address, name, who sees them, and where their code is. The navigation and the routes follow from it.
 * A new screen is one entry here and one folder below screens/.
 */
import type { QueryClient } from '@tanstack/react-query';
import type { ComponentType } from 'react';

import { EVERYBODY, PLANNERS, READERS, type Role } from './auth/roles';
import type { State } from './resource/useAddress';

export interface Screen {
  /** First part of the address; the name of the screen in saved views. */
  path: string;
  title: string;
  roles: readonly Role[];
  /** About the platform, not of the day's work: below a line in the navigation. */
  apart?: true;
  /** Loaded when it is opened for the first time. */
  load: () => Promise<Code>;
}

export interface Code {
  default: ComponentType;
  /** Asks for what the screen shows at an address, before it is drawn; with the keys by which it reads then. */
  ahead?: (queries: QueryClient, state: State) => void;
}

export const SCREENS: readonly Screen[] = [
  { path: 'team', title: 'Team', roles: READERS, load: () => import('./screens/team/Team') },
  { path: 'capacity', title: 'Capacity', roles: READERS, load: () => import('./screens/capacity/Capacity') },
  { path: 'requests', title: 'Requests', roles: READERS, load: () => import('./screens/requests/Requests') },
  { path: 'throughput', title: 'Throughput', roles: READERS, load: () => import('./screens/throughput/Throughput') },
  { path: 'quality', title: 'Quality', roles: READERS, load: () => import('./screens/quality/Quality') },
  { path: 'bugs', title: 'Bug Tracker', roles: EVERYBODY, load: () => import('./screens/bugs/Bugs') },
  { path: 'dashboard', title: 'My Dashboard', roles: EVERYBODY, load: () => import('./screens/dashboard/Dashboard') },
  { path: 'alerts', title: 'Alerts', roles: READERS, apart: true, load: () => import('./screens/alerts/Alerts') },
  { path: 'reports', title: 'Reports', roles: READERS, apart: true, load: () => import('./screens/reports/Reports') },
  { path: 'events', title: 'Events', roles: READERS, apart: true, load: () => import('./screens/events/Events') },
  { path: 'status', title: 'Status', roles: READERS, apart: true, load: () => import('./screens/status/Status') },
  { path: 'imports', title: 'Import', roles: PLANNERS, apart: true, load: () => import('./screens/imports/Imports') },
];

/** The screen that the address names where the page is opened. */
export const named = SCREENS.find(({ path }) => path === window.location.pathname.split('/')[1]);
