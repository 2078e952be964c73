/**
 * Late or in time: whole days that began after the due date in UTC, as prism_core/requests.py counts them.
 * A waiting request is measured now, or at the instant that the list is of; a fulfilled one when it was.
 */
import Box from '@cloudscape-design/components/box';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { useAddress } from '../../resource/useAddress';
import type { Request } from './descriptions';

const DAY_MS = 86_400_000;

export function daysLate(request: Request, now: number): number {
  if (request.status === 'declined') return 0;
  const measured = request.status === 'fulfilled' ? Date.parse(request.fulfilled ?? '') : now;
  const end = Date.parse(`${request.due_date}T00:00:00Z`) + DAY_MS;
  return Number.isNaN(measured) ? 0 : Math.max(0, Math.floor((measured - end) / DAY_MS) + 1);
}

export function Late({ request }: { request: Request }) {
  const asOf = useAddress().one('as_of');
  const days = daysLate(request, asOf ? Date.parse(asOf) : Date.now());
  if (days === 0) {
    if (request.status === 'declined') return <>–</>;
    return <Box color="text-body-secondary">in time</Box>;
  }
  const words = `${days} ${days === 1 ? 'day' : 'days'} late`;
  return <StatusIndicator type={request.status === 'fulfilled' ? 'info' : 'warning'}>{words}</StatusIndicator>;
}
