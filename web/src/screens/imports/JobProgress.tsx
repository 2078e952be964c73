/** A load that was too large for one call goes on by itself: how far it is, and what it refused. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import Table from '@cloudscape-design/components/table';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { api } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { useFlash } from '../../shell/Flash';

const EVERY_MS = 1_500;

export function JobProgress({ job }: { job: string }) {
  const { fail } = useFlash();
  const [busy, setBusy] = useState(false);
  const path = { params: { path: { key: job } } };
  const { data, error, refetch } = useQuery({
    queryKey: ['jobs', job],
    queryFn: async ({ signal }) => (await api.GET('/api/jobs/{key}', { ...path, signal })).data,
    refetchInterval: ({ state }) => (state.data && !['queued', 'running'].includes(state.data.status ?? 'queued') ? false : EVERY_MS),
  });
  if (error) return <Alert type="error" header="How far it is could not be read">{wordsOf(error)}</Alert>;
  const { status = 'queued', total = 0, done = 0, failed = 0 } = data ?? {};
  const runs = status === 'queued' || status === 'running';
  const step = async (verb: 'cancel' | 'resume') => {
    setBusy(true);
    try {
      await (verb === 'cancel' ? api.POST('/api/jobs/{key}/cancel', path) : api.POST('/api/jobs/{key}/resume', path));
      await refetch();
    } catch (refused) {
      fail(refused, verb === 'cancel' ? 'Not stopped' : 'Not resumed');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Container>
      <ProgressBar
        label="Writing the rows"
        description="It goes on when this page is left; the address of this page leads back to it."
        value={total > 0 ? (100 * done) / total : 0}
        additionalInfo={`${done} of ${total} rows, ${failed} refused`}
        status={runs ? 'in-progress' : status === 'done' ? 'success' : 'error'}
        resultText={status === 'done' ? `${done - failed} ${done - failed === 1 ? 'row' : 'rows'} written, ${failed} refused.` : `It stopped: ${data?.error ?? status}.`}
      />
      {!runs && failed > 0 && <Refused job={job} />}
      {(runs || status === 'failed' || status === 'cancelled') && (
        <Button loading={busy} onClick={() => void step(runs ? 'cancel' : 'resume')}>
          {runs ? 'Stop behind the current part' : 'Go on'}
        </Button>
      )}
    </Container>
  );
}

/** The rows that were not written, and why: those of the parts that were read so far. */
function Refused({ job }: { job: string }) {
  const { data, error, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery({
    queryKey: ['jobs', job, 'refused'],
    queryFn: async ({ pageParam, signal }) => {
      const query = { cursor: pageParam || undefined };
      const { data: page } = await api.GET('/api/jobs/{key}/results', { params: { path: { key: job }, query }, signal });
      if (!page) throw new Error('no answer');
      return page;
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
  if (error) return <Alert type="error" header="What was refused could not be read">{wordsOf(error)}</Alert>;
  const refused = (data?.pages ?? []).flatMap(({ items }) => items).filter(({ status }) => status >= 400);
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      wrapLines
      items={refused}
      trackBy={({ row }) => String(row)}
      loading={isFetching && !data}
      loadingText="Reading what was refused"
      ariaLabels={{ tableLabel: 'Rows that were refused' }}
      empty="None in the parts that were read."
      footer={
        hasNextPage && (
          <Button loading={isFetching} onClick={() => void fetchNextPage()}>
            Look through more rows
          </Button>
        )
      }
      columnDefinitions={[
        { id: 'row', header: 'Row of the load', isRowHeader: true, width: 130, cell: ({ row }) => row + 1 },
        { id: 'item', header: 'Item', width: 260, cell: ({ key }) => key ?? '–' },
        { id: 'why', header: 'Why', cell: ({ detail, errors = [] }) => [detail, ...errors.map(({ path, message }) => `${path}: ${message}`)].filter(Boolean).join(' ') },
      ]}
    />
  );
}
