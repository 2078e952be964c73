/**
 * One action on many rows: asks what is needed, previews every row, writes, and tells each row's answer.
 * Rows that failed stay selected. Belongs here: the dialog. Does not belong here: the calls (bulk.ts).
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useEffect, useRef, useState } from 'react';

import { wordsOf } from '../api/problem';
import { FieldInput } from '../fields/FieldInput';
import { unlessBeside } from '../shell/dialogs';
import { useMay, useSignedIn } from '../shell/session';
import { needsOf, perform, titleOf, type Action, type Outcome } from './bulk';
import { same, startOf, type Description, type Row, type Values } from './describe';
import { draftOf, dropDraft, keepDraft } from './drafts';
import { ShownValue } from './ShownValue';
import { useAddress, useStillHere } from './useAddress';
import { useWrites } from './useWrites';

type Stage = 'ask' | 'previewed' | 'done';

interface Props<R extends Row> {
  resource: Description<R>;
  action: Action<R>;
  rows: readonly R[];
  /** The keys of the rows that failed; nothing when the dialog was left before anything was written. */
  onClose: (failed?: readonly string[]) => void;
}

export function BulkDialog<R extends Row>({ resource, action, rows, onClose }: Props<R>) {
  const needs = needsOf(action, rows);
  // Of these rows alone: the reason for one is none for another.
  const form = `${useSignedIn().session.sub} ${resource.table} ${titleOf(action)} ${rows.map(({ key }) => key).sort().join(' ')}`;
  const [draft] = useState(() => draftOf(form));
  const [empty] = useState<Values>(() => Object.fromEntries(needs.map((field) => [field.name, startOf(field)])));
  const [values, setValues] = useState<Values>({ ...empty, ...draft?.mine });
  const [reason, setReason] = useState(draft?.reason ?? '');
  const [stage, setStage] = useState<Stage>('ask');
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(0);
  const [error, setError] = useState<unknown>();
  const [outcomes, setOutcomes] = useState<Outcome<R>[]>([]);
  const { told, refresh } = useWrites(resource.table);
  const address = useAddress();
  const stillHere = useStillHere();
  const explains = useMay();
  const good = outcomes.filter(({ ok }) => ok);
  const bad = outcomes.filter(({ ok }) => !ok);
  const missing = needs.some(({ name, required }) => required && (values[name] ?? '') === '');

  const over = useRef(false);
  const forget = () => {
    over.current = true;
    dropDraft(form);
  };
  useEffect(() => {
    if (over.current) return;
    const mine = Object.fromEntries(Object.entries(values).filter(([name, value]) => !same(value, empty[name])));
    if (Object.keys(mine).length > 0 || reason) keepDraft(form, { mine, reason });
    else dropDraft(form);
  }, [form, values, empty, reason]);

  async function run(dry: boolean) {
    setBusy(true);
    setError(undefined);
    setDone(0);
    try {
      // What would fail is left out of the write: it stays selected, with the reason.
      const chosen = dry ? rows : good.map(({ row }) => row);
      const found = await perform(resource, action, chosen, values, { dry, reason, progress: setDone });
      setOutcomes(dry ? found : [...bad, ...found]);
      setStage(dry ? 'previewed' : 'done');
      // Rows that somebody changed since stay selected: the next try is to be of what is there now.
      if (dry && found.some(({ ok }) => !ok)) void refresh();
      if (!dry) {
        forget();
        const final = action.kind === 'verb' && !action.verb.undone;
        const written = found.filter(({ ok }) => ok);
        // A row that was as wanted already has no change of now to be taken back.
        const changed = written.filter(({ row, version }) => action.kind === 'remove' || (version !== undefined && version !== row.version));
        // The panel of what is gone closes; read anew it would tell that it is not there.
        if (action.kind === 'remove' && written.some(({ row }) => row.key === address.one('item')) && stillHere()) address.set({ item: undefined });
        await refresh();
        if (written.length > 0) {
          const rows = final ? [] : changed.map(({ row, version }) => ({ key: row.key, version }));
          told(`${titleOf(action)}: ${count(written.length, resource)} written.`, rows);
        }
      }
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  }

  const close = () => onClose(stage === 'done' ? bad.map(({ row }) => row.key) : undefined);
  const total = stage === 'previewed' ? good.length : rows.length;
  return (
    <Modal
      visible
      size="large"
      header={`${titleOf(action)}: ${count(rows.length, resource)}`}
      onDismiss={unlessBeside(close)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            {stage !== 'done' && (
              <Button
                variant="link"
                onClick={() => {
                  forget();
                  close();
                }}
              >
                Cancel
              </Button>
            )}
            {stage === 'previewed' && (
              <Button disabled={busy} onClick={() => setStage('ask')}>
                Back
              </Button>
            )}
            {stage === 'ask' && (
              <Button variant="primary" loading={busy} disabled={missing} onClick={() => void run(true)}>
                Preview
              </Button>
            )}
            {stage === 'previewed' && (
              <Button variant="primary" loading={busy} disabled={good.length === 0} onClick={() => void run(false)}>
                {`Write ${count(good.length, resource)}`}
              </Button>
            )}
            {stage === 'done' && (
              <Button variant="primary" onClick={close}>
                Close
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && (
          <Alert type="error" header="Not written">
            {wordsOf(error)}
          </Alert>
        )}
        {busy && total > 20 && (
          <ProgressBar value={(100 * done) / total} label="Rows" description={`${done} of ${total}`} />
        )}
        {stage === 'ask' && (
          <>
            {draft && <Alert type="info">What you typed before, and did not write, is put back.</Alert>}
            {needs.map((field) => (
              <FieldInput
                key={field.name}
                field={field}
                value={values[field.name]}
                onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
              />
            ))}
            {explains && (
              <FormField label={<>Reason of the change – <i>optional</i></>} description="Kept in the history of every row.">
                <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
              </FormField>
            )}
          </>
        )}
        {stage !== 'ask' && (
          <>
            <Box>
              {stage === 'previewed'
                ? `Nothing is written yet. ${good.length} would be written, ${bad.length} would fail.`
                : `${good.length} written, ${bad.length} failed.`}
              {bad.length > 0 && ' What fails stays selected.'}
            </Box>
            <Results resource={resource} outcomes={[...bad, ...good]} />
          </>
        )}
      </SpaceBetween>
    </Modal>
  );
}

function Results<R extends Row>({ resource, outcomes }: { resource: Description<R>; outcomes: readonly Outcome<R>[] }) {
  const fields = new Map((resource.fields ?? []).map((field) => [field.name, field]));
  return (
    <div className="scrolls" role="region" aria-label="What becomes of all rows" tabIndex={0}>
      <Table
        variant="embedded"
        contentDensity="compact"
        wrapLines
        items={outcomes}
        trackBy={({ row }) => row.key}
        ariaLabels={{ tableLabel: 'What becomes of each row' }}
        columnDefinitions={[
          { id: 'row', header: resource.noun, cell: ({ row }) => resource.name(row), isRowHeader: true },
          {
            id: 'answer',
            header: 'Answer',
            cell: ({ ok }) => <StatusIndicator type={ok ? 'success' : 'error'}>{ok ? 'ok' : 'fails'}</StatusIndicator>,
          },
          {
            id: 'what',
            header: 'What happens',
            cell: ({ words, changes }) => (
              <>
                {words}
                {changes.map(([name, before, after]) => (
                  <div key={name}>
                    {fields.get(name)?.label ?? name}: <del><ShownValue name={name} field={fields.get(name)} value={before} /></del> →{' '}
                    <strong><ShownValue name={name} field={fields.get(name)} value={after} /></strong>
                  </div>
                ))}
              </>
            ),
          },
        ]}
      />
    </div>
  );
}

function count<R extends Row>(number: number, { noun, nouns }: Description<R>): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}
