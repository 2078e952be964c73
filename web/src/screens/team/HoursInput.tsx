/** Hours by weekday: seven small inputs, and their sum. A weekday without hours is a day off. */
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { WEEKDAYS } from '../../time/weeks';

type Hours = Record<string, string>;

export function totalHours(hours: Hours | undefined): string {
  const sum = Object.values(hours ?? {}).reduce((total, one) => total + Number(one), 0);
  return Number.isFinite(sum) ? String(Math.round(sum * 100) / 100) : '–';
}

export function hoursText(hours: Hours | undefined): string {
  const found = WEEKDAYS.filter((day) => Number(hours?.[day] ?? 0) > 0).map((day) => `${day} ${Number(hours?.[day])}`);
  return found.length > 0 ? `${found.join(', ')} (${totalHours(hours)} a week)` : 'none';
}

export function HoursInput({ value, onChange }: { value: Hours; onChange: (hours: Hours) => void }) {
  const set = (day: string, text: string) => {
    const next = { ...value, [day]: text.replace(',', '.') };
    if (!text.trim()) delete next[day];
    onChange(next);
  };
  return (
    <div className="weekdays">
      {WEEKDAYS.map((day) => (
        <FormField key={day} label={day.charAt(0).toUpperCase() + day.slice(1)}>
          <Input value={value[day] ?? ''} inputMode="decimal" placeholder="0" onChange={({ detail }) => set(day, detail.value)} />
        </FormField>
      ))}
      <Box color="text-body-secondary" padding={{ top: 'l' }}>
        {totalHours(value)} a week
      </Box>
    </div>
  );
}
