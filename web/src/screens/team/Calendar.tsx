/** Who is away when: members by the days of two weeks, with public holidays, and what waits for a decision. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useMemo } from 'react';

import { wordsOf } from '../../api/problem';
import { useMembers, type Member } from '../../people/useMembers';
import { SavedViews } from '../../resource/SavedViews';
import { useAddress } from '../../resource/useAddress';
import { AsOfBar, AsOfPicker } from '../../time/AsOf';
import { useWeek } from '../../time/useWeek';
import { WeekPicker } from '../../time/WeekPicker';
import { addWeeks, daysOf, shortDay, weekdayName } from '../../time/weeks';
import { dayOf, useHolidays, useTimeOff, type Day } from '../../people/week';
import { useLines } from './useLines';

const WEEKS = 2;
const UNSORTED: readonly never[] = [];

interface Line {
  member: Member;
  days: Day[];
}

export function Calendar() {
  const address = useAddress();
  const asOf = address.one('as_of');
  const week = useWeek(address);
  const weeks = Array.from({ length: WEEKS }, (_, index) => addWeeks(week, index));
  const days = weeks.flatMap(daysOf);
  const members = useMembers(asOf);
  const timeOff = useTimeOff(week, weeks.at(-1) ?? week, asOf);
  const active = useMemo(() => (members.data ?? []).filter(({ status }) => status !== 'inactive'), [members.data]);
  const holidays = useHolidays(active, weeks);
  const lines = useMemo<Line[]>(() => {
    const entries = new Map((timeOff.data ?? []).map((entry) => [`${entry.member_id} ${entry.date}`, entry]));
    return active.map((member) => ({
      member,
      days: days.map((day) =>
        dayOf(member, day, entries.get(`${member.member_id} ${day}`), holidays.get(`${member.location} ${day}`)),
      ),
    }));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the days follow from the week
  }, [active, timeOff.data, holidays, week]);
  const shown = useLines(lines, UNSORTED, address);
  const error = members.error ?? timeOff.error;
  const waiting = lines.flatMap((line) => line.days).filter(asked).length;
  return (
    <SpaceBetween size="s">
      {asOf && <AsOfBar asOf={asOf} onBack={() => address.set({ as_of: undefined })} />}
      {error && <Alert type="error">{wordsOf(error)}</Alert>}
      <Table
        {...shown.table}
        variant="full-page"
        stickyHeader
        stickyColumns={{ first: 1 }}
        contentDensity="compact"
        enableKeyboardNavigation
        trackBy={({ member }) => member.member_id}
        loading={members.isPending || timeOff.isPending}
        loadingText="Loading the calendar"
        ariaLabels={{ tableLabel: 'Calendar of time off' }}
        empty={<Box textAlign="center">Nobody matches.</Box>}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={`(${shown.count})`}
            description={`A number is hours off, “?” waits for a decision and leads to it (${waiting} here), H is a public holiday, · is no working day.`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <SavedViews screen="team" address={address} />
                <AsOfPicker asOf={asOf} onChange={(instant) => address.set({ as_of: instant })} />
              </SpaceBetween>
            }
          >
            Calendar
          </Header>
        }
        filter={
          <SpaceBetween size="xs">
            <WeekPicker week={week} onChange={(next) => address.set({ week: next })} />
            <TextFilter
              {...shown.filter}
              filteringPlaceholder="Find a member or a team"
              filteringAriaLabel="Find a member or a team"
            />
          </SpaceBetween>
        }
        pagination={<Pagination {...shown.pages} />}
        columnDefinitions={[
          { id: 'name', header: 'Member', cell: ({ member }) => member.name, isRowHeader: true, width: 200 },
          ...days.map((day, index) => ({
            id: day,
            header: (
              <span className="nowrap">
                {weekdayName(day)} {shortDay(day)}
              </span>
            ),
            minWidth: 92,
            cell: ({ days: found }: Line) => <DayCell day={found[index]} decide={(key) => address.replace({ tab: ['time-off'], item: [key] })} />,
          })),
        ]}
      />
    </SpaceBetween>
  );
}

/** Whether the day shows a wish that waits for its decision. */
const asked = ({ contracted, holiday, entry }: Day) => contracted > 0 && !holiday && entry?.status === 'requested';

function DayCell({ day, decide }: { day: Day | undefined; decide: (key: string) => void }) {
  if (!day || day.contracted === 0) return <span className="quiet" aria-label="no working day">·</span>;
  if (day.holiday) return <abbr title={day.holiday} className="day-mark day-holiday">H</abbr>;
  const { entry } = day;
  if (entry?.status === 'approved') {
    return <abbr title={`${entry.code ?? 'other'}, approved`} className="day-mark day-off">{Number(entry.hours_off)}</abbr>;
  }
  if (entry && asked(day)) {
    return (
      <Link
        href={`?tab=time-off&item=${encodeURIComponent(entry.key)}`}
        ariaLabel={`${Number(entry.hours_off)}? hours off are asked for, ${entry.code ?? 'other'}: decide`}
        onFollow={(event) => {
          event.preventDefault();
          decide(entry.key);
        }}
      >
        <span className="day-mark day-asked">{Number(entry.hours_off)}?</span>
      </Link>
    );
  }
  return <span className="quiet" aria-label="works" />;
}
