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
import { useEffect, useRef, useState } from 'react';

import { ApiProblem, wordsOf } from '../api/problem';
import { FieldInput } from '../fields/FieldInput';
import { unlessBeside } from '../shell/dialogs';
import { useMay, useSignedIn } from '../shell/session';
import { Compare, type Meeting } from './Compare';
import { patchOf, same, startOf, type Description, type Field, type Row, type Values } from './describe';
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
  return Object.fromEntries(fields.map((field) => [field.name, found ? found[field.name] : startOf(field)]));
}

/** What is sent for an item as it was read, also of a field that reading leaves out, such as a picture; all that is known for one that is made. */
function changesOf(from: Row | undefined, wanted: Values): Values {
  const before = from as Values | undefined;
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== undefined && !(before && name in before && same(value, before[name]))));
}

/** Of one that is made: what is not as the form was when it opened. */
function typedInto(fields: readonly Field[], values: Values): Values {
  const empty = valuesOf(fields, undefined);
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => !same(value, empty[name])));
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
  const [reason, setReason] = useState(draft?.reason ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [meeting, setMeeting] = useState(() => metAgain(draft, row));
  const { write, refresh } = useWrites(resource.table);
  // An annotator's words belong into the item, where their lead does not read them: the change log tells them.
  const explains = useMay() && !preset;
  const problem = error instanceof ApiProblem ? error : undefined;
  const named = row ? resource.name(row) : `a ${resource.noun}`;

  const over = useRef(false);

  function close() {
    over.current = true;
    dropDraft(form);
    onClose();
  }

  // What is typed outlives Escape, which may have been meant for something in the form, and a page that is loaded anew.
  // What is being compared is kept as it is: beside the item as it was read.
  useEffect(() => {
    if (meeting || over.current) return;
    const mine = base ? changesOf(base, values) : typedInto(fields, values);
    if (Object.keys(mine).length > 0 || reason) keepDraft(form, { read: base, mine, reason });
    else dropDraft(form);
  }, [form, fields, meeting, base, values, reason]);

  async function save(from: R | undefined, wanted: Values) {
    const changed = changesOf(from, wanted);
    if (from && Object.keys(changed).length === 0) return close();
    setBusy(true);
    setError(undefined);
    try {
      if (from) {
        await write('PATCH', itemPath(resource.path, from.key), { body: patchOf(from, changed), version: from.version, reason }, `${resource.name(from)} saved.`);
      } else {
        await write('POST', resource.path, { body: { ...(resource.sent?.(changed) ?? changed), ...preset }, reason }, `The ${resource.noun} was added.`);
      }
      close();
    } catch (failed) {
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
        onLater={onClose}
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
      onDismiss={unlessBeside(onClose)}
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
                      setReason('');
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
                    item={base}
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
