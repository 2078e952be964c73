/**
 * Two people edited the same item: what was read, what is there now, what was wanted; field by field one choice.
 * Belongs here: the comparison. Does not belong here: writing (EditDialog.tsx).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';

import type { ProblemBody } from '../api/problem';
import { Who } from '../people/Who';
import { unlessBeside } from '../shell/dialogs';
import { useZone } from '../shell/session';
import { localText } from '../time/zone';
import { same, type Field, type Values } from './describe';
import { ShownValue } from './ShownValue';

export interface Meeting<R> {
  read: R;
  now: R;
  /** The fields that this person changed. */
  mine: Values;
  problem: ProblemBody;
}

interface Line {
  field: Field;
  read: unknown;
  now: unknown;
  mine: unknown;
}

export function Compare<R>({
  fields,
  meeting,
  title,
  onLater,
  onCancel,
  onChosen,
}: {
  fields: readonly Field[];
  meeting: Meeting<R>;
  title: string;
  /** Left undecided: nothing is forgotten. */
  onLater: () => void;
  /** What was wanted is given up. */
  onCancel: () => void;
  onChosen: (mine: Values) => void;
}) {
  const zone = useZone();
  const [theirs, setTheirs] = useState<ReadonlySet<string>>(new Set());
  const read = meeting.read as Values;
  const now = meeting.now as Values;
  const lines: Line[] = fields
    .filter(({ name }) => name in meeting.mine || !same(read[name], now[name]))
    .map((field) => ({ field, read: read[field.name], now: now[field.name], mine: meeting.mine[field.name] }));
  const { changed_by, changed_at, change_reason } = meeting.problem;
  return (
    <Modal
      visible
      size="max"
      header={`${title} was changed by somebody else`}
      onDismiss={unlessBeside(onLater)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onCancel}>
              Leave it as it is now
            </Button>
            <Button
              variant="primary"
              onClick={() => onChosen(Object.fromEntries(Object.entries(meeting.mine).filter(([name]) => !theirs.has(name))))}
            >
              Save as chosen
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">
          After you had opened it, it was saved by {changed_by ? <Who id={changed_by} /> : 'somebody'}
          {changed_at ? ` at ${localText(changed_at, zone)} (${zone})` : ''}
          {change_reason ? `: “${change_reason}”` : ''}. Nothing of yours is lost: choose what to keep.
        </Alert>
        <Table
          variant="embedded"
          wrapLines
          items={lines}
          trackBy={(line) => line.field.name}
          ariaLabels={{ tableLabel: 'What differs' }}
          columnDefinitions={[
            { id: 'field', header: 'Field', cell: ({ field }) => field.label, isRowHeader: true },
            { id: 'read', header: 'When you opened it', cell: ({ field, read: value }) => <ShownValue name={field.name} field={field} value={value} /> },
            { id: 'now', header: 'Now', cell: ({ field, now: value }) => <ShownValue name={field.name} field={field} value={value} /> },
            {
              id: 'mine',
              header: 'Yours',
              cell: ({ field, mine }) => (field.name in meeting.mine ? <ShownValue name={field.name} field={field} value={mine} /> : 'not changed'),
            },
            {
              id: 'keep',
              header: 'Keep',
              cell: ({ field }) =>
                field.name in meeting.mine ? (
                  <RadioGroup
                    ariaLabel={`Keep for ${field.label}`}
                    value={theirs.has(field.name) ? 'theirs' : 'mine'}
                    items={[
                      { value: 'mine', label: 'Yours' },
                      { value: 'theirs', label: 'What is there now' },
                    ]}
                    onChange={({ detail }) => {
                      const next = new Set(theirs);
                      if (detail.value === 'theirs') next.add(field.name);
                      else next.delete(field.name);
                      setTheirs(next);
                    }}
                  />
                ) : (
                  'What is there now'
                ),
            },
          ]}
        />
      </SpaceBetween>
    </Modal>
  );
}
