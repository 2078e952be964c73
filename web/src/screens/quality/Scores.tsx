/** What the reviews of a week come to: share with its interval, weighted score, trend; and twelve weeks as lines. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import type { TableProps } from '@cloudscape-design/components/table';
import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';

import { api, type Query, type Schemas } from '../../api/client';
import { MemberName } from '../../people/MemberName';
import { membersQuery } from '../../people/useMembers';
import { ProjectName } from '../../work/ProjectName';
import { projectsQuery } from '../../work/useProjects';
import { wordsOf } from '../../api/problem';
import { FiguresTable, figuresQuery } from '../../resource/FiguresTable';
import { HereLink } from '../../resource/HereLink';
import { SavedViews } from '../../resource/SavedViews';
import { useAddress, type State } from '../../resource/useAddress';
import { NowBar } from '../../time/AsOf';
import { useWeek, weekIn } from '../../time/useWeek';
import { thisWeek } from '../../time/WeekPicker';
import { TodaysCategory } from './reviews';

// Read with the screen, not behind the figures that it draws.
const chart = import('./TrendChart');
chart.catch(() => undefined); // told where it is drawn
const TrendChart = lazy(() => chart);
const LIST = { table: 'quality', path: '/api/quality-scores', sort: 'share' };
type Score = Schemas['ScoreRow'];
const WEEKS = 12;
const FILTERS = [
  { name: 'member_id', label: 'Member id' },
  { name: 'project_id', label: 'Project id' },
  { name: 'category', label: 'Category today' },
] as const;
const percent = (value: string | null | undefined) => (value == null ? '–' : `${(Number(value) * 100).toFixed(1)} %`);

const COLUMNS: readonly TableProps.ColumnDefinition<Score>[] = [
  { id: 'member', header: 'Member', sortingField: 'member_id', isRowHeader: true, width: 185, cell: ({ member_id }) => <MemberName id={member_id} /> },
  { id: 'project', header: 'Project', sortingField: 'project_id', width: 185, cell: ({ project_id }) => <ProjectName id={project_id} /> },
  { id: 'category', header: 'Category today', sortingField: 'category', width: 170, cell: ({ category }) => <TodaysCategory label={category} /> },
  { id: 'pieces', header: 'Correct of reviewed', sortingField: 'reviewed', width: 150, cell: ({ correct, reviewed }) => <span className="number">{`${correct} of ${reviewed}`}</span> },
  { id: 'share', header: 'Share', sortingField: 'share', width: 95, cell: ({ share }) => <span className="number">{percent(share)}</span> },
  { id: 'interval', header: 'Interval (95 %)', width: 240, cell: (row) => <Interval row={row} /> },
  { id: 'score', header: 'Weighted score', sortingField: 'score', width: 130, cell: ({ score }) => <span className="number">{percent(score)}</span> },
  { id: 'trend', header: 'Trend a week', sortingField: 'trend', width: 130, cell: ({ trend, weeks_in_window }) => <span className="number" title={`${weeks_in_window} of four weeks`}>{trendText(trend)}</span> },
  { id: 'target', header: 'Target', width: 130, cell: (row) => <Target row={row} /> },
  { id: 'worst', header: 'Worst error', width: 110, cell: ({ worst_severity }) => worst_severity ?? '–' },
  { id: 'raw', header: 'Raw ids', width: 150, cell: ({ raw }) => raw.join(', ') },
];

type Chosen = Partial<Record<(typeof FILTERS)[number]['name'], string[]>>;

const chosenIn = (state: State): Chosen => Object.fromEntries(FILTERS.map(({ name }) => [name, state[name]] as const));
const queryOf = (week: string, chosen: Chosen): Query => ({ ...chosen, week });
const trendQuery = (week: string, chosen: Chosen) =>
  queryOptions({
    queryKey: ['quality', 'trend', week, chosen],
    queryFn: async ({ signal }) => (await api.GET('/api/quality-trend', { params: { query: { week, weeks: WEEKS, ...chosen } }, signal })).data?.items ?? [],
  });

/** Asks for what is shown, before it is drawn. */
export function askAhead(queries: QueryClient, state: State): void {
  const week = weekIn(state) ?? thisWeek();
  void queries.prefetchInfiniteQuery(figuresQuery<Score>({ ...LIST, query: queryOf(week, chosenIn(state)) }, state));
  void queries.prefetchQuery(trendQuery(week, chosenIn(state)));
  void queries.prefetchQuery(membersQuery());
  void queries.prefetchQuery(projectsQuery());
}

export function Scores() {
  const address = useAddress();
  const week = useWeek(address);
  const chosen = chosenIn(address.state);
  const query = queryOf(week, chosen);
  const trend = useQuery(trendQuery(week, chosen));
  return (
    <SpaceBetween size="s">
      <NowBar asOf={address.one('as_of')} onBack={() => address.set({ as_of: undefined })}>
        How the reviews were is kept. <HereLink to={{ tab: 'reviews', week, sort: undefined, category: undefined }}>Reviews</HereLink>
      </NowBar>
      {trend.error && (
        <Alert type="error" header="The trend could not be read" action={<Button onClick={() => void trend.refetch()}>Try again</Button>}>
          {wordsOf(trend.error)}
        </Alert>
      )}
      <Container header={<Header variant="h2" description={`All chosen reviews together, ${WEEKS} weeks up to ${week}.`}>Trend</Header>}>
        <Suspense fallback={<Spinner />}>{trend.data && <TrendChart weeks={trend.data} />}</Suspense>
      </Container>
      <FiguresTable
        title="Scores"
        about="As the reviews count today: corrections applied, categories by the taxonomy in force. Severe errors weigh more in the score."
        nouns="scores"
        empty="Nothing was reviewed in this week."
        {...LIST}
        query={query}
        columns={COLUMNS}
        filters={FILTERS}
        week={week}
        exported={{ list: 'quality_scores', all: { week } }}
        nameOf={({ member_id, project_id, category }) => `${category} of ${member_id} on ${project_id}`}
        actions={<SavedViews screen="quality" address={address} />}
        keyOf={({ key }) => key}
      />
    </SpaceBetween>
  );
}

function trendText(trend: string | null | undefined): string {
  if (trend == null) return '–';
  const points = Number(trend) * 100;
  const arrow = points > 0.05 ? '↑' : points < -0.05 ? '↓' : '→';
  return `${arrow} ${Math.abs(points).toFixed(1)} points`;
}

/** The interval as a line, the share as a dot, from nothing on the left to all on the right. */
function Interval({ row }: { row: Score }) {
  const [low, high, share] = [Number(row.low) * 100, Number(row.high) * 100, Number(row.share ?? 0) * 100];
  return (
    <span className="interval">
      <svg viewBox="0 0 100 12" width="100" height="12" aria-hidden="true">
        <line className="interval-axis" x1="0" x2="100" y1="6" y2="6" />
        <line className="interval-line" x1={low} x2={high} y1="6" y2="6" />
        {row.target != null && <line className="interval-target" x1={Number(row.target) * 100} x2={Number(row.target) * 100} y1="0" y2="12" />}
        {row.share != null && <circle cx={share} cy="6" r="3.5" fill="currentColor" />}
      </svg>
      <span className="number">{`${low.toFixed(1)} – ${high.toFixed(1)} %`}</span>
    </span>
  );
}

/** Below the target is said only when the whole interval lies below it. */
function Target({ row }: { row: Score }) {
  if (row.target == null) return <>–</>;
  const below = Number(row.high) < Number(row.target);
  return (
    <span className="number">
      {percent(row.target)}
      {below && <strong> below</strong>}
    </span>
  );
}
