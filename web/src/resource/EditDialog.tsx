/**
 * Making or editing one item. A change that somebody else made meanwhile is compared, and nobody's is lost.
 * Belongs here: the form of a description and its 412. Does not belong here: many items at once (BulkDialog.tsx).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { ApiProblem, wordsOf } from '../api/problem';
import { FieldInput } from '../fields/FieldInput';
import { Compare, type Meeting } from './Compare';
import { same, type Description, type Field, type Row, type Values } from './describe';
import { itemPath, useWrites } from './useWrites';

interface Props<R extends Row> {
  resource: Description<R>;
  /** The row that is edited; without it one is made. */
  row?: R;
  onClose: () => void;
}

function valuesOf(fields: readonly Field[], row: object | undefined): Values {
  const found = row as Values | undefined;
  return Object.fromEntries(fields.map(({ name, initial }) => [name, found ? found[name] : initial]));
}

export function EditDialog<R extends Row>({ resource, row, onClose }: Props<R>) {
  const fields = (resource.fields ?? []).filter((field) => !row || !field.once);
  const [base, setBase] = useState<R | undefined>(row);
  const [values, setValues] = useState<Values>(() => valuesOf(fields, row));
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [meeting, setMeeting] = useState<Meeting<R> | undefined>();
  const { write, refresh } = useWrites(resource.table);
  const problem = error instanceof ApiProblem ? error : undefined;
  const named = row ? resource.name(row) : `a ${resource.noun}`;

  async function save(from: R | undefined, wanted: Values) {
    const changed = Object.fromEntries(
      Object.entries(wanted).filter(([name, value]) => value !== undefined && !(from && same(value, (from as Values)[name]))),
    );
    if (from && Object.keys(changed).length === 0) return onClose();
    setBusy(true);
    setError(undefined);
    try {
      if (from) {
        await write('PATCH', itemPath(resource.path, from.key), { body: changed, version: from.version, reason }, `${resource.name(from)} saved.`);
      } else {
        await write('POST', resource.path, { body: changed, reason }, `The ${resource.noun} was added.`);
      }
      onClose();
    } catch (failed) {
      if (from && failed instanceof ApiProblem && failed.status === 412 && failed.body.current) {
        setMeeting({ read: from, now: failed.body.current as unknown as R, mine: changed, problem: failed.body });
      } else {
        setError(failed);
      }
    } finally {
      setBusy(false);
    }
  }

  if (meeting) {
    return (
      <Compare
        fields={fields}
        meeting={meeting}
        title={named}
        onCancel={() => {
          void refresh();
          onClose();
        }}
        onChosen={(mine) => {
          setMeeting(undefined);
          setBase(meeting.now);
          setValues({ ...valuesOf(fields, meeting.now), ...mine });
          void save(meeting.now, mine);
        }}
      />
    );
  }
  return (
    <Modal
      visible
      size="large"
      header={row ? `Edit ${named}` : `Add ${named}`}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} onClick={() => void save(base, values)}>
              {row ? 'Save' : 'Add'}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save(base, values);
        }}
      >
        <Form>
          <SpaceBetween size="m">
            {error !== undefined && <Alert type="error" header="Not saved">{wordsOf(error)}</Alert>}
            {fields.map((field) => (
              <FieldInput
                key={field.name}
                field={field}
                value={values[field.name]}
                error={problem?.of(field.name)}
                onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
              />
            ))}
            <FormField label={<>Reason – <i>optional</i></>} description="Kept in the history of the item.">
              <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
            </FormField>
          </SpaceBetween>
        </Form>
        <button type="submit" hidden aria-hidden tabIndex={-1} />
      </form>
    </Modal>
  );
}
