/** One week: back, forward, or typed. Belongs here: choosing. Does not belong here: what a week holds. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useState } from 'react';

import { addWeeks, dayText, isWeek, spanOf, weekOf } from './weeks';

export function thisWeek(): string {
  return weekOf(dayText(new Date()));
}

export function WeekPicker({
  week,
  onChange,
  label = 'Week',
}: {
  week: string;
  onChange: (week: string) => void;
  label?: string;
}) {
  const [typed, setTyped] = useState(week);
  useEffect(() => setTyped(week), [week]);
  const wanted = typed.trim().toUpperCase();
  const good = isWeek(wanted);
  const take = () => {
    if (!good) setTyped(week);
    // Who only passes by with Tab has chosen nothing.
    else if (wanted !== week) onChange(wanted);
  };
  return (
    <SpaceBetween direction="horizontal" size="xs" alignItems="center">
      <Button iconName="angle-left" ariaLabel={`${label}: back to ${addWeeks(week, -1)}`} onClick={() => onChange(addWeeks(week, -1))} />
      <div className="week-input">
        <Input
          value={typed}
          ariaLabel={`${label}, such as 2026-W01`}
          invalid={!good}
          onChange={({ detail }) => setTyped(detail.value)}
          onBlur={take}
          onKeyDown={({ detail }) => detail.key === 'Enter' && take()}
        />
      </div>
      <Button iconName="angle-right" ariaLabel={`${label}: on to ${addWeeks(week, 1)}`} onClick={() => onChange(addWeeks(week, 1))} />
      <Box color="text-body-secondary" fontSize="body-s">
        {spanOf(week)} (UTC days)
      </Box>
      {week !== thisWeek() && (
        <Button variant="inline-link" onClick={() => onChange(thisWeek())}>
          This week
        </Button>
      )}
    </SpaceBetween>
  );
}
