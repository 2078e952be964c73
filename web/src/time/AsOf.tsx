/**
 * How a list was known at an instant: choosing it, and the bar that says so. What is shown is then read-only.
 * Belongs here: the control and the bar; the state is `as_of` in the address.
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import TimeInput from '@cloudscape-design/components/time-input';
import { useState } from 'react';

import { useZone } from '../shell/session';
import { instantOf, localText, today } from './zone';

/** The instant as the API takes it: whole seconds in UTC. */
export function apiInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}

export function AsOfBar({ asOf, onBack }: { asOf: string; onBack: () => void }) {
  const zone = useZone();
  return (
    <Alert type="info" header={`As known on ${localText(asOf, zone)} (${zone})`} action={<Button onClick={onBack}>Back to now</Button>}>
      This is what was known then, whatever was changed since. It can be read and exported, not edited.
    </Alert>
  );
}

export function AsOfPicker({ asOf, onChange }: { asOf: string | undefined; onChange: (asOf: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button iconName="calendar" onClick={() => setOpen(true)}>
        {asOf ? 'Another instant' : 'As of'}
      </Button>
      {open && (
        <AsOfDialog
          asOf={asOf}
          onCancel={() => setOpen(false)}
          onChosen={(instant) => {
            setOpen(false);
            onChange(instant);
          }}
        />
      )}
    </>
  );
}

function AsOfDialog({
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
  const valid = /^\d{4}-\d{2}-\d{2}$/.test(day) && /^\d{2}:\d{2}$/.test(time);
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
            isDateEnabled={(date) => date.toISOString().slice(0, 10) <= today(zone)}
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
