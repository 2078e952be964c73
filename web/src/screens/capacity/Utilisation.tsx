/** How full the week is: planned hours by day and project against those that people have, and how full people are. */
import BarChart from '@cloudscape-design/components/bar-chart';
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import MixedLineBarChart from '@cloudscape-design/components/mixed-line-bar-chart';

import { daysOf, shortDay, weekdayName } from '../../time/weeks';
import { hoursText, type Line, type Shown } from './view';

const MOST_PROJECTS = 6;
const HEIGHT = 320;
const BANDS: readonly { label: string; from: number; to: number }[] = [
  { label: 'nothing planned', from: -Infinity, to: 0 },
  { label: 'up to 50 %', from: 0, to: 0.5 },
  { label: '50 to 80 %', from: 0.5, to: 0.8 },
  { label: '80 to 100 %', from: 0.8, to: 1.001 },
  { label: 'above 100 %', from: 1.001, to: Infinity },
];

export function Utilisation({ week, shown }: { week: string; shown: Shown }) {
  const days = daysOf(week);
  const label = (day: string) => `${weekdayName(day)} ${shortDay(day)}`;
  const { biggest, hours } = byProject(shown.lines);
  const rest = [...hours.keys()].filter((project) => !biggest.includes(project));
  const series = [
    ...biggest.map((project) => ({
      title: shown.nameOf(project),
      type: 'bar' as const,
      data: days.map((day) => ({ x: label(day), y: hours.get(project)?.get(day) ?? 0 })),
    })),
    ...(rest.length > 0
      ? [
          {
            title: `${rest.length} other projects`,
            type: 'bar' as const,
            data: days.map((day) => ({ x: label(day), y: rest.reduce((sum, project) => sum + (hours.get(project)?.get(day) ?? 0), 0) })),
          },
        ]
      : []),
    {
      title: 'Hours that people have',
      type: 'line' as const,
      data: days.map((day) => ({ x: label(day), y: shown.lines.reduce((sum, line) => sum + (line.availableBy?.[day] ?? 0), 0) })),
    },
  ];
  const full = BANDS.map(({ label: title, from, to }) => ({ x: title, y: shown.lines.filter((line) => within(line, from, to)).length }));
  return (
    <ColumnLayout columns={2}>
      <Container header={<Header variant="h2">Hours by day</Header>}>
        <MixedLineBarChart
          ariaLabel="Planned hours by day and project, and the hours that people have"
          series={series}
          stackedBars
          hideFilter
          height={HEIGHT}
          xScaleType="categorical"
          xDomain={days.map(label)}
          yTitle="Hours"
          yTickFormatter={hoursText}
          empty={<Box color="inherit">Nothing is planned.</Box>}
        />
      </Container>
      <Container header={<Header variant="h2">Members by how full they are</Header>}>
        <BarChart
          ariaLabel="Members by planned share of their hours"
          series={[{ title: 'Members', type: 'bar', data: full }]}
          hideFilter
          hideLegend
          height={HEIGHT}
          xDomain={BANDS.map((band) => band.label)}
          yTitle="Members"
          yTickFormatter={hoursText}
        />
      </Container>
    </ColumnLayout>
  );
}

/** Hours by project and day, and the projects with most of them. */
function byProject(lines: readonly Line[]) {
  const hours = new Map<string, Map<string, number>>();
  const totals = new Map<string, number>();
  for (const { project, byDay, total } of lines.flatMap(({ pieces }) => pieces)) {
    const days = hours.get(project) ?? new Map<string, number>();
    for (const [day, found] of Object.entries(byDay)) days.set(day, (days.get(day) ?? 0) + found);
    hours.set(project, days);
    totals.set(project, (totals.get(project) ?? 0) + total);
  }
  const biggest = [...totals].sort(([, one], [, other]) => other - one).map(([project]) => project).slice(0, MOST_PROJECTS);
  return { hours, biggest };
}

function within({ planned, available }: Line, from: number, to: number): boolean {
  if (available === 0 && planned === 0) return false;
  const share = available > 0 ? planned / available : Infinity;
  return share > from && share <= to;
}
