/** Choosing the instant of `as_of`: a day and a time in the person's zone, not in the future. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import TimeInput from '@cloudscape-design/components/time-input';
import { useState } from 'react';

import { useZone } from '../shell/session';
import { calendarDay, isDay } from './weeks';
import { apiInstant, instantOf, localText, today } from './zone';

export function AsOfDialog({
  asOf,
  onCancel,
  onChosen,
}: {
  asOf: string | undefined;
  onCancel: () => void;
  onChosen: (instant: string) => void;
}) {
  const zone = useZone();
  const start = localText(asOf ?? new Date(), zone);
  const [day, setDay] = useState(start.slice(0, 10));
  const [time, setTime] = useState(start.slice(11));
  const valid = isDay(day) && /^\d{2}:\d{2}$/.test(time);
  const instant = valid ? instantOf(day, time, zone) : undefined;
  const future = instant !== undefined && instant.getTime() > Date.now();
  return (
    <Modal
      visible
      header="As it was known"
      onDismiss={onCancel}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onCancel}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!instant || future} onClick={() => instant && onChosen(apiInstant(instant))}>
              Show
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label="Day" errorText={future ? 'lies in the future' : undefined}>
          <DatePicker
            value={day}
            onChange={({ detail }) => setDay(detail.value)}
            isDateEnabled={(date) => calendarDay(date) <= today(zone)}
            placeholder="2026-01-05"
          />
        </FormField>
        <FormField label={`Time (${zone})`}>
          <TimeInput value={time} format="hh:mm" placeholder="hh:mm" onChange={({ detail }) => setTime(detail.value)} />
        </FormField>
      </SpaceBetween>
    </Modal>
  );
}
