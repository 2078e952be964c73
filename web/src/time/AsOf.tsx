/**
 * How a list was known at an instant: choosing it, and the bar that says so. What is shown is then read-only.
 * Belongs here: the control and the bar; the state is `as_of` in the address.
 */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { useState, type ReactNode } from 'react';

import { later } from '../shell/later';
import { useZone } from '../shell/session';
import { localText } from './zone';

const AsOfDialog = later(async () => (await import('./AsOfDialog')).AsOfDialog);

export function AsOfBar({ asOf, onBack }: { asOf: string; onBack: () => void }) {
  const zone = useZone();
  return (
    <Alert type="info" header={`As known on ${localText(asOf, zone)} (${zone})`} action={<Button onClick={onBack}>Back to now</Button>}>
      This is what was known then, whatever was changed since. It can be read and exported, not edited.
    </Alert>
  );
}

/** Over figures that are computed anew as a whole: an instant chooses nothing of them, and nobody is to believe it does. */
export function NowBar({ asOf, onBack, children }: { asOf: string | undefined; onBack: () => void; children: ReactNode }) {
  const zone = useZone();
  if (!asOf) return null;
  return (
    <Alert type="warning" header={`Figures of now, not of ${localText(asOf, zone)} (${zone})`} action={<Button onClick={onBack}>Back to now</Button>}>
      Figures are computed anew; how they were at an instant is not kept. {children}
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
