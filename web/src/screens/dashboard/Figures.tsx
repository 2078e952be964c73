/** The figures of a member: weeks, work by project, reviews, and the plan of this and the next week. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useMemo, useState } from 'react';

import type { Schemas } from '../../api/client';
import type { Values } from '../../resource/describe';
import { EditDialog } from '../../resource/opened';
import { daysOf, shortDay, spanOf, weekdayName } from '../../time/weeks';
import { ProjectName } from '../../work/ProjectName';
import { myDisputes } from './descriptions';

type Me = Schemas['Me'];
/** The figure that is disputed: where it stands, and what it says. */
type Disputed = Values & { table: 'throughput' | 'quality'; week: string; project_id: string; field: string; shown: string };

const named = ({ field, project_id, week }: Disputed) => `${field.replaceAll('_', ' ')} of ${project_id} in ${week}`;
const hoursOf = (seconds: number | null | undefined) => (seconds == null ? '–' : (seconds / 3600).toFixed(1));
const percent = (value: string | null | undefined) => (value == null ? '–' : `${(100 * Number(value)).toFixed(1)} %`);
const accuracyOf = ({ reviewed, correct }: { reviewed: number; correct: number }) =>
  reviewed > 0 ? `${((100 * correct) / reviewed).toFixed(1)} %` : '–';

export function Figures({ me }: { me: Me }) {
  const [disputed, setDisputed] = useState<Disputed | undefined>();
  const { member_id } = me.member;
  const disputes = useMemo(() => myDisputes(member_id), [member_id]);
  const now = me.weeks.at(-1);
  const reviews = me.quality.reduce((sum, one) => ({ reviewed: sum.reviewed + one.reviewed, correct: sum.correct + one.correct }), {
    reviewed: 0,
    correct: 0,
  });
  const weeks = [...new Set(me.allocations.map(({ week }) => week))].sort();
  const dispute = (what: Disputed) => (
    <Button variant="inline-link" wrapText={false} ariaLabel={`Dispute ${named(what)}`} onClick={() => setDisputed(what)}>
      Dispute
    </Button>
  );
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={`The last four weeks, as your lead sees them. Days are those of UTC; your time zone is ${me.time_zone}.`}>
        {me.member.name}
      </Header>
      <KeyValuePairs
        columns={4}
        items={[
          { label: `Planned hours, ${now?.week ?? 'this week'}`, value: <Figure>{Number(now?.allocated_hours ?? 0)}</Figure> },
          { label: `Tasks, ${now?.week ?? 'this week'}`, value: <Figure>{now?.tasks_submitted ?? 0}</Figure> },
          { label: 'Correct of those reviewed, four weeks', value: <Figure>{accuracyOf(reviews)}</Figure> },
          { label: 'Open disputes', value: <Figure>{me.disputes.length}</Figure> },
        ]}
      />
      {weeks.map((week) => (
        <Plan key={week} week={week} allocations={me.allocations.filter((one) => one.week === week)} />
      ))}
      <Plain
        title="Weeks"
        items={[...me.weeks].reverse()}
        trackBy={({ week }) => week}
        columns={[
          { id: 'week', header: 'Week', cell: ({ week }) => `${week} (${spanOf(week)})`, isRowHeader: true },
          { id: 'hours', header: 'Planned hours', cell: ({ allocated_hours }) => <Digits>{Number(allocated_hours)}</Digits> },
          { id: 'tasks', header: 'Tasks submitted', cell: ({ tasks_submitted }) => <Digits>{tasks_submitted}</Digits> },
        ]}
      />
      <Plain
        title="Work by project"
        items={[...me.throughput].reverse()}
        trackBy={({ key }) => key}
        columns={[
          { id: 'week', header: 'Week', cell: ({ week }) => week },
          { id: 'project', header: 'Project', cell: ({ project_id }) => <ProjectName id={project_id} />, isRowHeader: true },
          { id: 'submitted', header: 'Submitted', cell: ({ tasks_submitted }) => <Digits>{tasks_submitted}</Digits> },
          { id: 'returned', header: 'Returned', cell: ({ tasks_returned }) => <Digits>{tasks_returned}</Digits> },
          { id: 'declined', header: 'Declined', cell: ({ tasks_declined }) => <Digits>{tasks_declined}</Digits> },
          { id: 'wall', header: 'Wall clock (h)', cell: ({ wall_seconds }) => <Digits>{hoursOf(wall_seconds)}</Digits> },
          { id: 'active', header: 'Active (h)', cell: ({ active_seconds }) => <Digits>{hoursOf(active_seconds)}</Digits> },
          { id: 'rate', header: 'Tasks/h', cell: ({ tasks_per_hour }) => <Digits>{tasks_per_hour == null ? '–' : Number(tasks_per_hour).toFixed(1)}</Digits> },
          {
            id: 'dispute',
            header: 'Wrong?',
            cell: ({ week, project_id, tasks_submitted }) =>
              dispute({ table: 'throughput', week, project_id, field: 'tasks_submitted', shown: String(tasks_submitted) }),
          },
        ]}
      />
      <Plain
        title="Reviews"
        items={[...me.quality].reverse()}
        trackBy={({ week, project_id }) => `${week} ${project_id}`}
        columns={[
          { id: 'week', header: 'Week', cell: ({ week }) => week },
          { id: 'project', header: 'Project', cell: ({ project_id }) => <ProjectName id={project_id} />, isRowHeader: true },
          { id: 'reviewed', header: 'Reviewed', cell: ({ reviewed }) => <Digits>{reviewed}</Digits> },
          { id: 'correct', header: 'Correct', cell: ({ correct }) => <Digits>{correct}</Digits> },
          { id: 'share', header: 'Share', cell: ({ share }) => <Digits>{percent(share)}</Digits> },
          { id: 'interval', header: 'Interval (95 %)', cell: ({ low, high }) => <Digits>{`${(100 * Number(low)).toFixed(1)} – ${percent(high)}`}</Digits> },
          { id: 'score', header: 'Weighted score', cell: ({ score }) => <Digits>{percent(score)}</Digits> },
          {
            id: 'dispute',
            header: 'Wrong?',
            cell: ({ week, project_id, correct }) =>
              dispute({ table: 'quality', week, project_id, field: 'correct', shown: String(correct) }),
          },
        ]}
      />
      {disputed && <EditDialog resource={disputes} preset={disputed} title={`Dispute ${named(disputed)}: ${disputed.shown}`} onClose={() => setDisputed(undefined)} />}
    </SpaceBetween>
  );
}

function Plan({ week, allocations }: { week: string; allocations: Me['allocations'] }) {
  const days = daysOf(week);
  return (
    <Plain
      title={`Plan of ${week}`}
      items={allocations}
      trackBy={({ project_id }) => project_id}
      columns={[
        { id: 'project', header: 'Project', cell: ({ project_id }) => <ProjectName id={project_id} />, isRowHeader: true },
        ...days.map((day) => ({
          id: day,
          header: `${weekdayName(day)} ${shortDay(day)}`,
          cell: ({ hours }: Me['allocations'][number]) => <Digits>{hours[day] ? Number(hours[day]) : '–'}</Digits>,
        })),
        {
          id: 'total',
          header: 'Hours',
          cell: ({ hours }) => <Digits>{Object.values(hours).reduce((sum, one) => sum + Number(one), 0)}</Digits>,
        },
      ]}
    />
  );
}

function Plain<R>({
  title,
  items,
  columns,
  trackBy,
}: {
  title: string;
  items: readonly R[];
  columns: TableProps.ColumnDefinition<R>[];
  trackBy: (row: R) => string;
}) {
  return (
    <Table
      variant="container"
      contentDensity="compact"
      items={items}
      trackBy={trackBy}
      columnDefinitions={columns}
      header={<Header variant="h2">{title}</Header>}
      ariaLabels={{ tableLabel: title }}
      empty={<Box textAlign="center">Nothing in these weeks.</Box>}
    />
  );
}

const Digits = ({ children }: { children: React.ReactNode }) => <span className="number">{children}</span>;
const Figure = ({ children }: { children: React.ReactNode }) => (
  <Box variant="awsui-value-large" className="number">
    {children}
  </Box>
);
