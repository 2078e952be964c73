/** Open alerts beside whatever screen one is at: take one up, or go to it. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Drawer from '@cloudscape-design/components/drawer';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useState } from 'react';

import { wordsOf } from '../../api/problem';
import { SEVERITIES, SeverityBadge } from '../../figures/SeverityBadge';
import { itemPath, useWrites } from '../../resource/useWrites';
import { useFlash } from '../../shell/Flash';
import { MOST_OPEN, useOpenAlerts } from '../../shell/openAlerts';
import { useMay } from '../../shell/session';
import { useLeave } from '../../shell/useGo';
import { RULES, type Alert as Row } from './rules';

export default function AlertsDrawer() {
  const found = useOpenAlerts(true);
  const may = useMay();
  const leave = useLeave();
  const { fail } = useFlash();
  const { call, refresh } = useWrites('alerts');
  const [busy, setBusy] = useState<string | undefined>();
  const rows = [...(found.data?.items ?? [])].sort((one, other) => SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity));
  const go = (href: string) => (event: CustomEvent) => {
    event.preventDefault();
    leave(href);
  };
  const take = async (row: Row) => {
    setBusy(row.key);
    try {
      await call('POST', `${itemPath('/api/alerts', row.key)}/acknowledge`, { version: row.version });
      await refresh();
    } catch (error) {
      fail(error, '“Acknowledge” was not done');
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <Drawer header={<h2>Open alerts</h2>}>
      <SpaceBetween size="m">
        {found.isPending && <Spinner />}
        {found.isError && <Alert type="error">{wordsOf(found.error)}</Alert>}
        {found.data && rows.length === 0 && <Box color="text-body-secondary">Nothing is open.</Box>}
        <ul className="plain-list" aria-label="Open alerts, the worst first">
          {rows.map((row) => (
            <li key={row.key}>
              <SpaceBetween size="xxs">
                <Link href={`/alerts?item=${row.key}`} onFollow={go(`/alerts?item=${row.key}`)}>
                  {row.title}
                </Link>
                <SpaceBetween direction="horizontal" size="xs" alignItems="center">
                  <SeverityBadge severity={row.severity} />
                  <Box color="text-body-secondary" fontSize="body-s">
                    {RULES[row.rule]}, {row.week}
                  </Box>
                  {may && (
                    <Button variant="inline-link" loading={busy === row.key} ariaLabel={`Acknowledge ${row.title}`} onClick={() => void take(row as Row)}>
                      Acknowledge
                    </Button>
                  )}
                </SpaceBetween>
              </SpaceBetween>
            </li>
          ))}
        </ul>
        {found.data?.next && <Box color="text-body-secondary">These are the {MOST_OPEN} that were seen last; there are more.</Box>}
        <Link href="/alerts" onFollow={go('/alerts')}>
          All alerts
        </Link>
      </SpaceBetween>
    </Drawer>
  );
}
