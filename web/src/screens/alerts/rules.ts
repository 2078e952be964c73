/** An alert of the API, and the seven rules in words. */
import type { Schemas } from '../../api/client';

export type Alert = Schemas['AlertAnswer'] & { version: number };
export type Rule = Schemas['AlertRule'];

export const RULES: Record<Rule, string> = {
  ooto_conflict: 'Planned on time off',
  quality_degradation: 'Quality falls',
  shrinkage_risk: 'Shrinkage',
  unresolved_worker: 'Unresolved worker',
  late_request: 'Late request',
  capacity_risk: 'Too little capacity',
  sla_breach: 'SLA in danger',
};
