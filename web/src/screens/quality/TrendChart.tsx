/** Shares by week with their interval. Loaded when it is shown: charts are heavy. */
import LineChart from '@cloudscape-design/components/line-chart';
import type { MixedLineBarChartProps } from '@cloudscape-design/components/mixed-line-bar-chart';

import type { Schemas } from '../../api/client';

const HEIGHT = 200;
const percent = (value: number) => `${Math.round(value * 1000) / 10} %`;

export default function TrendChart({ weeks }: { weeks: readonly Schemas['ScoreWeek'][] }) {
  const known = weeks.filter(({ share }) => share != null);
  const line = (title: string, value: (week: Schemas['ScoreWeek']) => string | null | undefined): MixedLineBarChartProps.LineDataSeries<string> => ({
    type: 'line',
    title,
    data: known.map((week) => ({ x: week.week, y: Number(value(week)) })),
    valueFormatter: percent,
  });
  const lows = known.map(({ low }) => Number(low));
  const floor = Math.max(0, Math.floor(Math.min(1, ...lows) * 10) / 10);
  return (
    <LineChart
      series={[line('Correct', ({ share }) => share), line('Interval from', ({ low }) => low), line('Interval to', ({ high }) => high), line('Weighted score', ({ score }) => score)]}
      xDomain={weeks.map(({ week }) => week)}
      yDomain={[floor, 1]}
      xScaleType="categorical"
      height={HEIGHT}
      hideFilter
      yTickFormatter={percent}
      ariaLabel="Share of correct pieces by week"
      ariaDescription="Four lines: the share, both ends of its 95 % interval, and the score in which severe errors weigh more."
      empty="Nothing was reviewed in these weeks."
      noMatch="Nothing was reviewed in these weeks."
    />
  );
}
