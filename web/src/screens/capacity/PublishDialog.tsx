/** Making a plan the one of its week: what changes against what stands, then the publication, which can be undone. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';

import { send, type Schemas } from '../../api/client';
import { ApiProblem, wordsOf } from '../../api/problem';
import { unlessBeside } from '../../shell/dialogs';
import { hoursText, sumOf, type Plan, type Shown } from './view';

export type Publication = Schemas['PublicationOf'];

interface Props {
  plan: Plan;
  shown: Shown;
  /** The publication that stands, as it was looked at. */
  stands: number;
  onClose: () => void;
  onPublished: (publication: Publication) => void;
  /** Somebody published meanwhile: everything is read anew. */
  onOvertaken: () => void;
}

interface Change {
  key: string;
  member: string;
  project: string;
  before: number;
  after: number;
}

/** What the plan changes: pinned hours stay, every other row of the week becomes the plan's. */
function changesOf({ standing, document, memberName, nameOf }: Shown): Change[] {
  const found = new Map<string, Change>();
  const pinned = new Set(standing.filter((row) => row.pinned).map((row) => `${row.member_id} ${row.project_id}`));
  const at = (member: string, project: string) => {
    const key = `${member} ${project}`;
    const change = found.get(key) ?? { key, member: memberName(member), project: nameOf(project), before: 0, after: 0 };
    found.set(key, change);
    return change;
  };
  for (const row of standing) at(row.member_id, row.project_id).before = sumOf(row.hours);
  for (const one of document?.assignments ?? []) at(one.member_id, one.project_id).after = Number(one.hours);
  return [...found.values()]
    .filter(({ key, before, after }) => !pinned.has(key) && before !== after)
    .sort((one, other) => one.member.localeCompare(other.member) || one.project.localeCompare(other.project));
}

export function PublishDialog({ plan, shown, stands, onClose, onPublished, onOvertaken }: Props) {
  const [reason, setReason] = useState('');
  const [whatIf, setWhatIf] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const changes = changesOf(shown);
  const people = new Set(changes.map(({ member }) => member)).size;

  async function publish() {
    setBusy(true);
    setError(undefined);
    try {
      const path = `/api/capacity/${plan.week}/plans/${encodeURIComponent(plan.plan_id)}/publish`;
      const query = whatIf ? { what_if: 'true' } : undefined;
      const { data } = await send<Publication>('POST', path, { query, version: stands, reason });
      onPublished(data);
    } catch (failed) {
      setError(failed);
      setBusy(false);
      if (failed instanceof ApiProblem && failed.status === 412) onOvertaken();
    }
  }

  return (
    <Modal
      visible
      size="large"
      header={`Publish ${plan.scenario} for ${plan.week}`}
      onDismiss={unlessBeside(onClose)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} onClick={() => void publish()}>
              Publish
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && (
          <Alert type="error" header="Not published">
            {wordsOf(error)}
            {findingsOf(error).map((one) => (
              <div key={one}>{one}</div>
            ))}
          </Alert>
        )}
        <Box>
          {changes.length === 0
            ? 'The hours of nobody change.'
            : `Hours of ${people} ${people === 1 ? 'member' : 'members'} change, who get a mail. Pinned hours stay; days that have passed stay.`}
        </Box>
        <div className="scrolls" role="region" aria-label="Hours that change, all of them" tabIndex={0}>
          <Table
            variant="embedded"
            contentDensity="compact"
            items={changes}
            trackBy="key"
            ariaLabels={{ tableLabel: 'Hours that change' }}
            columnDefinitions={[
              { id: 'member', header: 'Member', isRowHeader: true, cell: ({ member }) => member },
              { id: 'project', header: 'Project', cell: ({ project }) => project },
              { id: 'before', header: 'Now', cell: ({ before }) => <span className="number">{hoursText(before)}</span> },
              { id: 'after', header: 'Published', cell: ({ after }) => <span className="number">{hoursText(after)}</span> },
            ]}
          />
        </div>
        {plan.scenario !== 'base' && (
          <Checkbox checked={whatIf} onChange={({ detail }) => setWhatIf(detail.checked)}>
            It is meant: publish it although it may suppose other people or demand than there are
          </Checkbox>
        )}
        <FormField label={<>Reason – <i>optional</i></>} description="Kept in the history of every row.">
          <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
        </FormField>
      </SpaceBetween>
    </Modal>
  );
}

/** Why a plan cannot stand any more, one for each. */
function findingsOf(error: unknown): string[] {
  const found = error instanceof ApiProblem ? (error.body as { findings?: unknown }).findings : undefined;
  return Array.isArray(found) ? found.map(String) : [];
}
