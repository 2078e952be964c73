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

import { ApiProblem, SignedOut, wordsOf } from '../api/problem';
import { signIn } from '../auth/session';
import { FieldInput } from '../fields/FieldInput';
import { useMay } from '../shell/session';
import { Compare, type Meeting } from './Compare';
import { same, type Description, type Field, type Row, type Values } from './describe';
import { draftOf, dropDraft, keepDraft } from './drafts';
import { itemPath, useWrites } from './useWrites';

const WIDE: ReadonlySet<string> = new Set(['custom', 'long']);

interface Props<R extends Row> {
  resource: Description<R>;
  /** The row that is edited; without it one is made. */
  row?: R;
  /** What is decided already when one is made; not asked, and sent. */
  preset?: Values;
  title?: string;
  onClose: () => void;
}

function valuesOf(fields: readonly Field[], row: object | undefined): Values {
  const found = row as Values | undefined;
  return Object.fromEntries(fields.map(({ name, initial }) => [name, found ? found[name] : initial]));
}

export function EditDialog<R extends Row>({ resource, row, preset, title, onClose }: Props<R>) {
  const asked = (resource.fields ?? []).filter(({ once, decided }) => (row ? !once : !decided));
  const fields = asked.filter(({ name }) => !(preset && name in preset));
  const form = `${resource.table} ${row?.key ?? 'new'}`;
  const [base, setBase] = useState<R | undefined>(row);
  const [values, setValues] = useState<Values>(() => ({ ...valuesOf(fields, row), ...draftOf(form) }));
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [meeting, setMeeting] = useState<Meeting<R> | undefined>();
  const { write, refresh } = useWrites(resource.table);
  // An annotator's words belong into the item, where their lead does not read them: the change log tells them.
  const explains = useMay() && !preset;
  const problem = error instanceof ApiProblem ? error : undefined;
  const named = row ? resource.name(row) : `a ${resource.noun}`;

  function close() {
    dropDraft(form);
    onClose();
  }

  async function save(from: R | undefined, wanted: Values) {
    const changed = Object.fromEntries(
      Object.entries(wanted).filter(([name, value]) => value !== undefined && !(from && same(value, (from as Values)[name]))),
    );
    if (from && Object.keys(changed).length === 0) return close();
    setBusy(true);
    setError(undefined);
    try {
      if (from) {
        await write('PATCH', itemPath(resource.path, from.key), { body: changed, version: from.version, reason }, `${resource.name(from)} saved.`);
      } else {
        await write('POST', resource.path, { body: { ...(resource.sent?.(changed) ?? changed), ...preset }, reason }, `The ${resource.noun} was added.`);
      }
      close();
    } catch (failed) {
      if (failed instanceof SignedOut) keepDraft(form, wanted);
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
          close();
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
      header={title ?? (row ? `Edit ${named}` : `Add ${named}`)}
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={close}>
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
            {error !== undefined && (
              <Alert
                type="error"
                header="Not saved"
                action={error instanceof SignedOut && <Button onClick={() => void signIn()}>Sign in</Button>}
              >
                {wordsOf(error)}
                {error instanceof SignedOut && ' What you typed is kept: open the form again.'}
              </Alert>
            )}
            <div className="form-fields">
              {fields.map((field) => (
                <div key={field.name} className={WIDE.has(field.input.kind) ? 'form-wide' : undefined}>
                  <FieldInput
                    field={field}
                    value={values[field.name]}
                    error={problem?.of(field.name)}
                    onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
                  />
                </div>
              ))}
            </div>
            {explains && (
              <FormField label={<>Reason of the change – <i>optional</i></>} description="Kept in the history.">
                <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
              </FormField>
            )}
          </SpaceBetween>
        </Form>
        <button type="submit" hidden aria-hidden tabIndex={-1} />
      </form>
    </Modal>
  );
}
