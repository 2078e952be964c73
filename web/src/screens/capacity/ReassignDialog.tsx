/** Hours that stand, to somebody else: rehearsed first, then moved in one step that can be taken back. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useRef, useState } from 'react';

import { send, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import type { Allocation } from '../../people/week';
import { versionOf } from '../../resource/bulk';
import type { Written } from '../../resource/useWrites';
import { unlessBeside } from '../../shell/dialogs';
import { hoursText, sumOf, type Line, type Piece } from './view';

interface Props {
  piece: Piece;
  row: Allocation;
  lines: readonly Line[];
  nameOf: (project: string) => string;
  /** Whom it was dropped on: asked at once. */
  onto?: string;
  onClose: () => void;
  /** Somebody changed these hours meanwhile: everything is read anew. */
  onOvertaken: () => void;
  onMoved: (words: string, written: Written) => void;
}

export function ReassignDialog({ piece, row, lines, nameOf, onto, onClose, onMoved, onOvertaken }: Props) {
  const [to, setTo] = useState(onto ?? '');
  // Of which version of the row: what somebody changed since was not rehearsed.
  const [rehearsed, setRehearsed] = useState<{ words: string; version: number } | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const name = (member: string) => lines.find((line) => line.member === member)?.name ?? member;
  const options = lines
    .filter(({ member }) => member !== piece.member)
    .sort((one, other) => other.available - other.planned - (one.available - one.planned))
    .map((line) => ({ value: line.member, label: line.name, description: `${hoursText(Math.max(0, line.available - line.planned))} h free` }));

  const told = rehearsed?.version === row.version ? rehearsed.words : undefined;

  // Answers come in any order: only that to the last choice is told.
  const asking = useRef(0);
  async function move(member: string, dry: boolean) {
    const mine = (asking.current += 1);
    setBusy(true);
    if (dry) setRehearsed(undefined);
    else setError(undefined);
    try {
      const body = { dry_run: dry, rows: [{ key: row.key, version: row.version, to_member: member }] };
      const { data } = await send<Schemas['BulkResult']>('POST', '/api/allocations/reassign', { body });
      if (dry && mine !== asking.current) return;
      const [answer] = data.rows;
      if (answer?.status === 412) onOvertaken();
      if (!answer || answer.status >= 400) throw new Error(answer?.detail ?? 'The API told nothing of the row.');
      const words = `${hoursText(sumOf(row.hours))} h of ${nameOf(piece.project)} go from ${name(piece.member)} to ${name(member)}.`;
      if (dry) setRehearsed({ words, version: row.version });
      else onMoved(`${nameOf(piece.project)} moved to ${name(member)}.`, { key: answer.key ?? row.key, version: versionOf(answer.item) });
    } catch (failed) {
      if (dry && mine !== asking.current) return;
      setError(failed);
      setRehearsed(undefined);
    } finally {
      if (mine === asking.current) setBusy(false);
    }
  }

  // Asked at once for whom it was dropped on, and anew where the row is not the one that was asked for any more.
  const asked = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (!to || busy || asked.current === row.version) return;
    asked.current = row.version;
    void move(to, true);
  });

  return (
    <Modal
      visible
      header={`Reassign ${nameOf(piece.project)} of ${name(piece.member)}`}
      onDismiss={unlessBeside(onClose)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!told} onClick={() => void move(to, false)}>
              Reassign
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && <Alert type="error" header="It cannot be moved like this">{wordsOf(error)}</Alert>}
        <FormField label="To" description="Who has most hours free stands first.">
          <Select
            selectedOption={options.find(({ value }) => value === to) ?? null}
            options={options}
            filteringType="auto"
            placeholder="Choose"
            onChange={({ detail }) => {
              const member = detail.selectedOption.value ?? '';
              setTo(member);
              setError(undefined);
              asked.current = row.version;
              void move(member, true);
            }}
          />
        </FormField>
        {told && <Alert type="info">{told}</Alert>}
      </SpaceBetween>
    </Modal>
  );
}
