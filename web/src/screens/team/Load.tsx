/** How full each member is over the next weeks: planned hours against those that are left of the contract. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useMemo } from 'react';

import { wordsOf } from '../../api/problem';
import { useMembers, type Member } from '../../people/useMembers';
import { SavedViews } from '../../resource/SavedViews';
import { useAddress } from '../../resource/useAddress';
import { AsOfBar, AsOfPicker } from '../../time/AsOf';
import { useWeek } from '../../time/useWeek';
import { WeekPicker } from '../../time/WeekPicker';
import { addWeeks, daysOf, shortDay, mondayOf } from '../../time/weeks';
import { dayOf, useAllocations, useHolidays, useTimeOff } from '../../people/week';
import { useLines } from './useLines';

const WEEKS = 6;
// Plans divide hours over days to two places: less is no overload.
const ROUNDING_HOURS = 0.05;

interface WeekLoad {
  week: string;
  planned: number;
  available: number;
}

interface Line {
  member: Member;
  weeks: WeekLoad[];
}

export function Load() {
  const address = useAddress();
  const asOf = address.one('as_of');
  const first = useWeek(address);
  const weeks = useMemo(() => Array.from({ length: WEEKS }, (_, index) => addWeeks(first, index)), [first]);
  const last = weeks.at(-1) ?? first;
  const members = useMembers(asOf);
  const timeOff = useTimeOff(first, last, asOf);
  const allocations = useAllocations(first, last, asOf);
  const active = useMemo(() => (members.data ?? []).filter(({ status }) => status !== 'inactive'), [members.data]);
  const holidays = useHolidays(active, weeks);
  const lines = useMemo<Line[]>(() => {
    const entries = new Map((timeOff.data ?? []).map((entry) => [`${entry.member_id} ${entry.date}`, entry]));
    const planned = new Map<string, number>();
    for (const { member_id, week, hours } of allocations.data ?? []) {
      const key = `${member_id} ${week}`;
      const sum = Object.values(hours ?? {}).reduce((total, one) => total + Number(one), 0);
      planned.set(key, (planned.get(key) ?? 0) + sum);
    }
    return active.map((member) => ({
      member,
      weeks: weeks.map((week) => ({
        week,
        planned: planned.get(`${member.member_id} ${week}`) ?? 0,
        available: daysOf(week)
          .map((day) => dayOf(member, day, entries.get(`${member.member_id} ${day}`), holidays.get(`${member.location} ${day}`)))
          .reduce((total, { contracted, off }) => total + contracted - off, 0),
      })),
    }));
  }, [active, weeks, timeOff.data, allocations.data, holidays]);
  const columns = useMemo<TableProps.ColumnDefinition<Line>[]>(
    () => [
      {
        id: 'name',
        header: 'Member',
        cell: ({ member }) => member.name,
        isRowHeader: true,
        width: 200,
        sortingComparator: (one, other) => one.member.name.localeCompare(other.member.name),
      },
      { id: 'team', header: 'Team', cell: ({ member }) => member.team ?? '–', width: 120, sortingComparator: (one, other) => (one.member.team ?? '').localeCompare(other.member.team ?? '') },
      ...weeks.map((week, index) => ({
        id: week,
        header: `${week} (${shortDay(mondayOf(week))})`,
        minWidth: 150,
        cell: ({ weeks: found }: Line) => <LoadCell load={found[index]} />,
        sortingComparator: (one: Line, other: Line) => shareOf(one.weeks[index]) - shareOf(other.weeks[index]),
      })),
    ],
    [weeks],
  );
  const shown = useLines(lines, columns, address);
  const error = members.error ?? timeOff.error ?? allocations.error;
  return (
    <SpaceBetween size="s">
      {asOf && <AsOfBar asOf={asOf} onBack={() => address.set({ as_of: undefined })} />}
      {error && <Alert type="error">{wordsOf(error)}</Alert>}
      <Table
        {...shown.table}
        variant="full-page"
        stickyHeader
        contentDensity="compact"
        enableKeyboardNavigation
        trackBy={({ member }) => member.member_id}
        loading={members.isPending || timeOff.isPending || allocations.isPending}
        loadingText="Loading the load"
        ariaLabels={{ tableLabel: 'Load of members' }}
        empty={<Box textAlign="center">Nobody matches.</Box>}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={`(${shown.count})`}
            description="Planned hours of those that are left of the contract, less approved time off and public holidays."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <SavedViews screen="team" address={address} />
                <AsOfPicker asOf={asOf} onChange={(instant) => address.set({ as_of: instant })} />
              </SpaceBetween>
            }
          >
            Load
          </Header>
        }
        filter={
          <SpaceBetween size="xs">
            <WeekPicker week={first} onChange={(next) => address.set({ week: next })} label="First week" />
            <TextFilter
              {...shown.filter}
              filteringPlaceholder="Find a member or a team"
              filteringAriaLabel="Find a member or a team"
            />
          </SpaceBetween>
        }
        pagination={<Pagination {...shown.pages} />}
        columnDefinitions={columns}
      />
    </SpaceBetween>
  );
}

function shareOf(load: WeekLoad | undefined): number {
  if (!load) return 0;
  return load.available > 0 ? load.planned / load.available : load.planned > 0 ? Number.POSITIVE_INFINITY : 0;
}

const rounded = (hours: number) => String(Math.round(hours * 10) / 10);

function LoadCell({ load }: { load: WeekLoad | undefined }) {
  if (!load) return null;
  const over = load.planned > load.available + ROUNDING_HOURS;
  const share = Math.min(1, shareOf(load));
  return (
    <span className="load">
      <meter className={over ? 'load-over' : undefined} min={0} max={1} value={share} aria-label={`${Math.round(share * 100)} %`} />
      <span className="number">
        {rounded(load.planned)} / {rounded(load.available)}
        {over && <strong> over</strong>}
      </span>
    </span>
  );
}
