/** How bad something is, in a word and a colour: of alerts and of bugs. */
import Badge, { type BadgeProps } from '@cloudscape-design/components/badge';

import type { Schemas } from '../api/client';

export type Severity = Schemas['Severity'];
export const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
const COLOURS: Record<Severity, BadgeProps['color']> = {
  low: 'severity-low',
  medium: 'severity-medium',
  high: 'severity-high',
  critical: 'severity-critical',
};

export function SeverityBadge({ severity }: { severity: Severity }) {
  return <Badge color={COLOURS[severity]}>{severity}</Badge>;
}
