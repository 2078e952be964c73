/** Moving misattributed work: corrections of many rows, previewed, each answered on its own; what fails stays selected. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';

import { send, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { FieldInput } from '../../fields/FieldInput';
import { versionOf } from '../../resource/bulk';
import type { Field, Values } from '../../resource/describe';
import { useWrites, type Written } from '../../resource/useWrites';
import { unlessBeside } from '../../shell/dialogs';

type Row = Schemas['ThroughputRow'];
const FIELDS: readonly Field[] = [
  { name: 'to_member', label: 'Belongs to member', input: { kind: 'of-list', list: '/api/members', value: 'member_id', show: ({ name }: { name: string }) => name } },
  { name: 'to_project', label: 'Belongs to project', input: { kind: 'of-list', list: '/api/projects', value: 'project_id', show: ({ name }: { name: string }) => name } },
  { name: 'reason', label: 'Why', input: { kind: 'long' }, required: true, hint: 'The member reads it.' },
];

interface Told {
  row: Row;
  ok: boolean;
  words: string;
  written?: Written;
}

export function Reassign({ rows, onClose }: { rows: readonly Row[]; onClose: (failed?: readonly string[]) => void }) {
  const [values, setValues] = useState<Values>({ to_member: null, to_project: null, reason: '' });
  const [told, setTold] = useState<readonly Told[] | undefined>();
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const writes = useWrites('corrections');
  const good = (told ?? []).filter(({ ok }) => ok);
  const bad = (told ?? []).filter(({ ok }) => !ok);
  const missing = !values.reason || (!values.to_member && !values.to_project);

  async function run(dry: boolean) {
    setBusy(true);
    setError(undefined);
    try {
      const part = dry ? rows : good.map(({ row }) => row);
      const body = {
        dry_run: dry,
        rows: part.map((row) => ({ week: row.week, from_member: row.member_id, from_project: row.project_id, ...values })),
      };
      const { data } = await send<Schemas['BulkResult']>('POST', '/api/throughput/reassign', { body });
      const found = data.rows.map(({ row, status, detail, key, item }) => {
        const one = part[row] as Row;
        const words = status < 400 ? `${one.tasks_submitted} tasks count for ${String(values.to_member ?? one.member_id)} on ${String(values.to_project ?? one.project_id)}` : (detail ?? `answered ${status}`);
        return { row: one, ok: status < 400, words, written: key ? { key, version: versionOf(item) } : undefined };
      });
      setTold(dry ? found : [...bad, ...found]);
      if (!dry) {
        setDone(true);
        const keys = found.flatMap(({ ok, written }) => (ok && written ? [written] : []));
        await writes.refresh();
        if (keys.length > 0) writes.told(`${keys.length} ${keys.length === 1 ? 'correction' : 'corrections'} written.`, keys);
      }
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  }

  const close = () => onClose(done ? bad.map(({ row }) => row.key) : undefined);
  return (
    <Modal
      visible
      size="large"
      header={`Move the work of ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`}
      onDismiss={unlessBeside(close)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            {!done && <Button variant="link" onClick={close}>Cancel</Button>}
            {told && !done && <Button onClick={() => setTold(undefined)}>Back</Button>}
            {!told && <Button variant="primary" loading={busy} disabled={missing} onClick={() => void run(true)}>Preview</Button>}
            {told && !done && <Button variant="primary" loading={busy} disabled={good.length === 0} onClick={() => void run(false)}>{`Write ${good.length}`}</Button>}
            {done && <Button variant="primary" onClick={close}>Close</Button>}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && <Alert type="error" header="Not written">{wordsOf(error)}</Alert>}
        {!told && FIELDS.map((field) => <FieldInput key={field.name} field={field} value={values[field.name]} onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))} />)}
        {told && (
          <>
            <Box>{done ? `${good.length} written, ${bad.length} failed.` : `Nothing is written yet. ${good.length} would be written, ${bad.length} would fail.`}{bad.length > 0 && ' What fails stays selected.'}</Box>
            <Table
              variant="embedded"
              contentDensity="compact"
              wrapLines
              items={told}
              trackBy={({ row }) => row.key}
              ariaLabels={{ tableLabel: 'What becomes of each row' }}
              columnDefinitions={[
                { id: 'row', header: 'Work of', isRowHeader: true, cell: ({ row }) => `${row.member_id} on ${row.project_id}` },
                { id: 'answer', header: 'Answer', cell: ({ ok }) => <StatusIndicator type={ok ? 'success' : 'error'}>{ok ? 'ok' : 'fails'}</StatusIndicator> },
                { id: 'what', header: 'What happens', cell: ({ words }) => words },
              ]}
            />
          </>
        )}
      </SpaceBetween>
    </Modal>
  );
}
