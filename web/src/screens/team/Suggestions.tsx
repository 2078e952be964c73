/** Who a worker may be, or which project a labelling job may belong to; taken with one press. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { api, send, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { MemberName } from '../../people/MemberName';
import { itemPath, useWrites } from '../../resource/useWrites';
import { useFlash } from '../../shell/Flash';
import { useMay } from '../../shell/session';
import { TimeText } from '../../time/TimeText';
import type { Worker } from './workers';

type Suggestion = Schemas['Suggestion-Output'];
const WEEKS = 4;

export function Suggestions({ worker }: { worker: Worker }) {
  const open = worker.status === 'unresolved';
  const found = useQuery({
    queryKey: ['workers', 'suggestions', worker.key],
    queryFn: async () => (await api.GET('/api/workers/{key}/suggestions', { params: { path: { key: worker.key }, query: { weeks: WEEKS } } })).data,
    enabled: open,
  });
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'Status', value: worker.status },
          { label: 'Last seen', value: <TimeText instant={worker.last_seen} /> },
          ...(worker.periods ?? []).map(({ member, from, to }) => ({
            label: `${from} – ${to ?? 'further notice'}`,
            value: <MemberName id={member} />,
          })),
        ]}
      />
      {open && <Box variant="h3">{worker.job ? 'It may belong to' : 'It may be'}</Box>}
      {open && found.isPending && <Spinner />}
      {found.isError && <Alert type="error">{wordsOf(found.error)}</Alert>}
      {found.data?.items.length === 0 && <Box color="text-body-secondary">Nothing in the last {WEEKS} weeks tells who.</Box>}
      {found.data?.items.map((one) => <Candidate key={one.candidate} worker={worker} suggestion={one} />)}
    </SpaceBetween>
  );
}

function Candidate({ worker, suggestion }: { worker: Worker; suggestion: Suggestion }) {
  const [busy, setBusy] = useState(false);
  const may = useMay();
  const { fail } = useFlash();
  const { write } = useWrites(worker.job ? 'projects' : 'workers');
  const { candidate } = suggestion;
  const take = async () => {
    setBusy(true);
    try {
      if (worker.job) await claim(worker.job, candidate);
      else {
        // What is not known of before it was first seen is not said.
        const valid_from = (worker.first_seen ?? worker.last_seen).slice(0, 10);
        await write('POST', `${itemPath('/api/workers', worker.key)}/resolve`, { body: { member: candidate, valid_from }, version: worker.version, reason: 'suggested' }, `${worker.worker_key} is ${candidate}.`);
      }
    } catch (error) {
      fail(error, 'Not resolved');
    } finally {
      setBusy(false);
    }
  };
  /** A labelling job belongs to a project from when it was first seen on. */
  const claim = async (job: string, project: string) => {
    const path = itemPath('/api/projects', project);
    const { data } = await send<Schemas['ProjectAnswer']>('GET', path);
    const valid_from = (worker.first_seen ?? worker.last_seen).slice(0, 10);
    const labeling_jobs = [...(data.labeling_jobs ?? []), { job, valid_from }];
    await write('PATCH', path, { body: { labeling_jobs }, version: data.version, reason: 'suggested' }, `${job} belongs to ${project}.`);
  };
  return (
    <div className="candidate">
      <div>
        <strong>{worker.job ? candidate : <MemberName id={candidate} />}</strong>{' '}
        <span className="number">{Math.round(Number(suggestion.score) * 100)} %</span>
        <Box color="text-body-secondary" fontSize="body-s">
          {suggestion.why}
        </Box>
      </div>
      {may && (
        <Button loading={busy} onClick={() => void take()} ariaLabel={`Take ${candidate}`}>
          Take
        </Button>
      )}
    </div>
  );
}
