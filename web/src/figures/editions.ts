/** How reports and the state of their editions are named, wherever one is shown. */
import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../api/client';

export const KINDS: Record<Schemas['ReportKind'], string> = {
  campaign: 'Campaign',
  ops: 'Operations',
  alerts_daily: 'Alerts of the day',
  alerts_weekly: 'Alerts of the week',
  allocation_changes: 'Changes of the plan',
  events: 'Events',
};
export const LOOKS: Record<Schemas['EditionStatus'], StatusIndicatorProps.Type> = { prepared: 'pending', sent: 'success', withdrawn: 'stopped' };
