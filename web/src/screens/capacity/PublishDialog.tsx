/**
 * Making a plan the one of its week: what changes against what stands, as the API tells it by the rule of the publication
 * itself, then the publication, which can be undone.
 */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { api, send, type Schemas } from '../../api/client';
import { ApiProblem, wordsOf } from '../../api/problem';
import { unlessBeside } from '../../shell/dialogs';
import { weekdayName } from '../../time/weeks';
import { hoursText, sumOf, type Plan } from './view';

export type Publication = Schemas['PublicationOf'];

interface Props {
  plan: Plan;
  memberName: (member: string) => string;
  nameOf: (project: string) => string;
  onClose: () => void;
  onPublished: (publication: Publication) => void;
  /** Somebody published meanwhile: everything is read anew. */
  onOvertaken: () => void;
}

type Change = Schemas['HoursChanged'];

/** The days on which hours change, each with what it has and what it is to have. */
function daysText({ before, after }: Change): string {
  const days = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const hours = (of: Change['before'], day: string) => hoursText(Number(of[day] ?? 0));
  return days
    .filter((day) => hours(before, day) !== hours(after, day))
    .map((day) => `${weekdayName(day)} ${hours(before, day)} → ${hours(after, day)}`)
    .join(', ');
}

export function PublishDialog({ plan, memberName, nameOf, onClose, onPublished, onOvertaken }: Props) {
  const [reason, setReason] = useState('');
  const [whatIf, setWhatIf] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { week, plan_id } = plan;
  const preview = useQuery({
    queryKey: ['plans', 'changes', week, plan_id],
    queryFn: async () => (await api.GET('/api/capacity/{week}/plans/{plan_id}/changes', { params: { path: { week, plan_id } } })).data,
    gcTime: 0, // what was shown the last time may be old
  });
  const key = (one: Change) => `${memberName(one.member_id)} ${nameOf(one.project_id)}`;
  const changes = [...(preview.data?.changes ?? [])].sort((one, other) => key(one).localeCompare(key(other)));
  const people = new Set(changes.map(({ member_id }) => member_id)).size;

  async function publish() {
    setBusy(true);
    setError(undefined);
    try {
      const path = `/api/capacity/${week}/plans/${encodeURIComponent(plan_id)}/publish`;
      const query = whatIf ? { what_if: 'true' } : undefined;
      const { data } = await send<Publication>('POST', path, { query, version: preview.data?.publication, reason });
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
            <Button variant="primary" loading={busy} disabled={!preview.data || preview.isFetching} onClick={() => void publish()}>
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
        {preview.isError && (
          <Alert type="error" header="What would change could not be read" action={<Button onClick={() => void preview.refetch()}>Try again</Button>}>
            {wordsOf(preview.error)}
          </Alert>
        )}
        {preview.isPending && <Spinner />}
        {preview.data && (
          <>
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
                trackBy={({ member_id, project_id }) => `${member_id} ${project_id}`}
                ariaLabels={{ tableLabel: 'Hours that change' }}
                columnDefinitions={[
                  { id: 'member', header: 'Member', isRowHeader: true, cell: ({ member_id }) => memberName(member_id) },
                  { id: 'project', header: 'Project', cell: ({ project_id }) => nameOf(project_id) },
                  { id: 'before', header: 'Now', cell: ({ before }) => <span className="number">{hoursText(sumOf(before))}</span> },
                  { id: 'after', header: 'Published', cell: ({ after }) => <span className="number">{hoursText(sumOf(after))}</span> },
                  { id: 'days', header: 'Days that change', cell: (one) => <span className="number">{daysText(one)}</span> },
                ]}
              />
            </div>
          </>
        )}
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
