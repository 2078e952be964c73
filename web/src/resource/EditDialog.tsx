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
import { FieldInput } from '../fields/FieldInput';
import { unlessBeside } from '../shell/dialogs';
import { useMay, useSignedIn } from '../shell/session';
import { Compare, type Meeting } from './Compare';
import { same, type Description, type Field, type Row, type Values } from './describe';
import { draftOf, dropDraft, keepDraft, type Draft } from './drafts';
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

/** A draft of an item that somebody changed since is compared before anything else. */
function metAgain<R extends Row>(draft: Draft<R> | undefined, row: R | undefined): Meeting<R> | undefined {
  if (!draft?.read || !row || draft.read.version === row.version) return undefined;
  return { read: draft.read, now: row, mine: draft.mine, problem: {} };
}

export function EditDialog<R extends Row>({ resource, row, preset, title, onClose }: Props<R>) {
  const asked = (resource.fields ?? []).filter(({ once, decided }) => (row ? !once : !decided));
  const fields = asked.filter(({ name }) => !(preset && name in preset));
  const { sub } = useSignedIn().session;
  const form = `${sub} ${resource.table} ${row?.key ?? `new ${JSON.stringify(preset ?? {})}`}`;
  const [draft, setDraft] = useState(() => draftOf<R>(form));
  const [base, setBase] = useState<R | undefined>(row);
  const [values, setValues] = useState<Values>(() => ({ ...valuesOf(fields, row), ...draft?.mine }));
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [meeting, setMeeting] = useState(() => metAgain(draft, row));
  const { write, refresh } = useWrites(resource.table);
  // An annotator's words belong into the item, where their lead does not read them: the change log tells them.
  const explains = useMay() && !preset;
  const problem = error instanceof ApiProblem ? error : undefined;
  const named = row ? resource.name(row) : `a ${resource.noun}`;

  function close() {
    dropDraft(form);
    onClose();
  }

  const changesOf = (from: R | undefined, wanted: Values): Values =>
    Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== undefined && !(from && same(value, (from as Values)[name]))));

  /** Escape leaves a form, and may have been meant for something in it: what was typed comes back with the form. */
  const leave = unlessBeside(() => {
    const mine = Object.fromEntries(Object.entries(values).filter(([name, value]) => !same(value, valuesOf(fields, base)[name])));
    if (Object.keys(mine).length > 0) keepDraft(form, { read: base, mine });
    else dropDraft(form);
    onClose();
  });

  async function save(from: R | undefined, wanted: Values) {
    const changed = changesOf(from, wanted);
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
      if (failed instanceof SignedOut) keepDraft(form, { read: from, mine: changed });
      if (from && failed instanceof ApiProblem && failed.status === 412 && failed.body.current) {
        const now = failed.body.current;
        // It was written, and only its answer was lost: there is nothing to compare.
        if (Object.entries(changed).every(([name, value]) => same(value, now[name]))) return close();
        setMeeting({ read: from, now: now as unknown as R, mine: changed, problem: failed.body });
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
      onDismiss={leave}
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
              <Alert type="error" header="Not saved">
                {wordsOf(error)}
              </Alert>
            )}
            {draft && (
              <Alert
                type="info"
                action={
                  <Button
                    formAction="none"
                    onClick={() => {
                      dropDraft(form);
                      setDraft(undefined);
                      setBase(row);
                      setValues(valuesOf(fields, row));
                    }}
                  >
                    Start anew
                  </Button>
                }
              >
                What you typed before, and did not save, is put back.
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
