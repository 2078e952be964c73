/** Tasks by week beside the band of the four weeks before each. Loaded when it is shown: charts are heavy. */
import MixedLineBarChart, { type MixedLineBarChartProps } from '@cloudscape-design/components/mixed-line-bar-chart';

import type { Schemas } from '../../api/client';

const HEIGHT = 200;
type Week = Schemas['ThroughputSum'];
const whole = (value: number) => String(Math.round(value));

export default function TrendChart({ weeks }: { weeks: readonly Week[] }) {
  const line = (title: string, value: (week: Week) => string | null | undefined): MixedLineBarChartProps.LineDataSeries<string> => ({
    type: 'line',
    title,
    data: weeks.filter((week) => value(week) != null).map((week) => ({ x: week.week, y: Number(value(week)) })),
    valueFormatter: whole,
  });
  const most = Math.max(1, ...weeks.flatMap(({ tasks_submitted, high }) => [tasks_submitted, Number(high ?? 0)]));
  return (
    <MixedLineBarChart
      series={[
        { type: 'bar', title: 'Tasks submitted', data: weeks.map(({ week, tasks_submitted }) => ({ x: week, y: tasks_submitted })), valueFormatter: whole },
        line('Band from', ({ low }) => low),
        line('Band to', ({ high }) => high),
      ]}
      xDomain={weeks.map(({ week }) => week)}
      yDomain={[0, most]}
      xScaleType="categorical"
      height={HEIGHT}
      hideFilter
      yTickFormatter={whole}
      ariaLabel="Tasks submitted by week"
      ariaDescription="Bars of submitted tasks, and two lines: the band of the four weeks before each week."
      empty="Nothing is published of these weeks."
      noMatch="Nothing is published of these weeks."
    />
  );
}
