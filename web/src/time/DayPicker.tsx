/**
 * One day, typed or chosen: only a whole day that may be chosen is told, what is half typed stays in the input.
 * Belongs here: choosing. Does not belong here: days of forms, which the API judges (fields/FieldInput.tsx).
 */
import DatePicker from '@cloudscape-design/components/date-picker';
import { useEffect, useState } from 'react';

import { calendarDay, isDay } from './weeks';

export function DayPicker({ day, last, label, onChange }: { day: string; last: string; label: string; onChange: (day: string) => void }) {
  const [typed, setTyped] = useState(day);
  useEffect(() => setTyped(day), [day]);
  const good = (text: string) => isDay(text) && text <= last;
  return (
    <DatePicker
      ariaLabel={label}
      placeholder="2026-01-05"
      value={typed}
      invalid={!good(typed)}
      isDateEnabled={(date) => calendarDay(date) <= last}
      onChange={({ detail }) => {
        setTyped(detail.value);
        if (good(detail.value) && detail.value !== day) onChange(detail.value);
      }}
      onBlur={() => !good(typed) && setTyped(day)}
    />
  );
}
