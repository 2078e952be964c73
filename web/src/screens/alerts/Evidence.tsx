/** What an alert rests on, who was told, who took it up, and the way to where it is mended. */
import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';

import { SeverityBadge } from '../../figures/SeverityBadge';
import { MemberName } from '../../people/MemberName';
import { Who } from '../../people/Who';
import { useLeave } from '../../shell/useGo';
import { TimeText } from '../../time/TimeText';
import { ProjectName } from '../../work/ProjectName';
import { RULES, type Alert, type Rule } from './rules';

/** Where one looks into it. */
const PLACES: Record<Rule, (alert: Alert) => string> = {
  ooto_conflict: ({ week }) => `/capacity?week=${week}`,
  capacity_risk: ({ week }) => `/capacity?week=${week}&tab=open`,
  quality_degradation: ({ week }) => `/quality?week=${week}`,
  shrinkage_risk: ({ week, member_id }) => `/throughput?week=${week}${member_id ? `&member_id=${encodeURIComponent(member_id)}` : ''}`,
  unresolved_worker: ({ subject }) => `/team?tab=workers&worker_key=${encodeURIComponent(subject.slice(subject.indexOf('/') + 1))}`,
  late_request: ({ subject }) => `/requests?tab=all&request_id=${encodeURIComponent(subject.split('/')[1] ?? '')}`,
  sla_breach: ({ project_id }) => `/throughput${project_id ? `?project_id=${encodeURIComponent(project_id)}` : ''}`,
};

export function Evidence({ alert }: { alert: Alert }) {
  const leave = useLeave();
  const place = PLACES[alert.rule](alert);
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'Severity', value: <SeverityBadge severity={alert.severity} /> },
          { label: 'Rule', value: RULES[alert.rule] },
          { label: 'Member', value: alert.member_id ? <MemberName id={alert.member_id} /> : '–' },
          { label: 'Project', value: alert.project_id ? <ProjectName id={alert.project_id} /> : '–' },
          { label: 'Week', value: alert.week },
          { label: 'Seen first', value: <TimeText instant={alert.first_seen} /> },
          { label: 'Seen last', value: <TimeText instant={alert.last_seen} /> },
          { label: 'Told', value: <Told alert={alert} /> },
          ...(alert.acknowledged ? [{ label: 'Taken up', value: <By instant={alert.acknowledged} who={alert.acknowledged_by} /> }] : []),
          ...(alert.status === 'silenced'
            ? [
                { label: 'Silent until', value: <By instant={alert.silenced_until} who={alert.silenced_by} /> },
                { label: 'Why', value: alert.silence_reason ?? '–' },
              ]
            : []),
          ...(alert.resolved ? [{ label: alert.ending === 'over' ? 'Over' : 'Mended', value: <TimeText instant={alert.resolved} /> }] : []),
          ...(alert.verdict
            ? [{ label: 'Useful?', value: <Judged alert={alert} /> }]
            : []),
        ]}
      />
      <Link
        href={place}
        onFollow={(event) => {
          event.preventDefault();
          leave(place);
        }}
      >
        Look into it
      </Link>
      <Table
        variant="embedded"
        contentDensity="compact"
        wrapLines
        header={<Box variant="h3">Evidence</Box>}
        items={alert.evidence ?? []}
        trackBy="item"
        ariaLabels={{ tableLabel: 'The rows that the alert rests on' }}
        empty="No rows"
        columnDefinitions={[
          { id: 'item', header: 'Row', isRowHeader: true, cell: ({ item }) => <span className="breaks">{item}</span> },
          {
            id: 'figures',
            header: 'Figures',
            cell: ({ figures }) =>
              Object.entries(figures).map(([name, value]) => (
                <div key={name}>
                  {name}: <b>{value}</b>
                </div>
              )),
          },
        ]}
      />
    </SpaceBetween>
  );
}

function Told({ alert }: { alert: Alert }) {
  if (!alert.told) return <>nobody yet</>;
  const heard = alert.told_to?.length ?? 0;
  return (
    <>
      {heard} {heard === 1 ? 'person' : 'people'}, <TimeText instant={alert.told} />
    </>
  );
}

function Judged({ alert }: { alert: Alert }) {
  return (
    <>
      {alert.verdict?.replace('_', ' ')}, says {alert.verdict_by ? <Who id={alert.verdict_by} /> : 'somebody'}
      {alert.verdict_note ? `: “${alert.verdict_note}”` : ''}
    </>
  );
}

function By({ instant, who }: { instant: string | null | undefined; who: string | null | undefined }) {
  return (
    <>
      by {who ? <Who id={who} /> : 'somebody'}, <TimeText instant={instant} />
    </>
  );
}
