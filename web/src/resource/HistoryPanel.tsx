/** What happened to an item: who, when, why, what; and taking the newest change back. */
import Alert from '@cloudscape-design/components/alert';
import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { api, type Schemas, type Table } from '../api/client';
import { wordsOf } from '../api/problem';
import { Who } from '../people/Who';
import { TimeText } from '../time/TimeText';
import type { Field } from './describe';
import { ShownValue } from './ShownValue';
import { useWrites } from './useWrites';

const PAGE = 20;
const ASK_AGAIN_MS = 700;
const MOST_ASKED = 20;
type Change = Schemas['ChangeAnswer'];

export function HistoryPanel({
  table,
  itemKey,
  version,
  fields,
}: {
  table: Table;
  itemKey: string;
  /** Of the item as it is shown: a history that has not heard of it yet is asked again. */
  version: number;
  fields: readonly Field[];
}) {
  const { undo } = useWrites(table);
  const [undoing, setUndoing] = useState<string | undefined>();
  const found = useInfiniteQuery({
    queryKey: [table, 'history', itemKey],
    queryFn: async ({ pageParam, signal }) => {
      const path = { table, key: itemKey };
      const { data } = await api.GET('/api/history/{table}/{key}', {
        params: { path, query: { limit: PAGE, cursor: pageParam || undefined } },
        signal,
      });
      if (!data) throw new Error('no answer');
      return data;
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: ({ state }) => {
      const newest = state.data?.pages[0]?.items[0]?.version ?? version;
      return newest < version && state.dataUpdateCount < MOST_ASKED ? ASK_AGAIN_MS : false;
    },
  });
  if (found.isPending) return <Spinner />;
  if (found.isError) return <Alert type="error">{wordsOf(found.error)}</Alert>;
  const changes = found.data.pages.flatMap(({ items }) => items);
  const take = async (change: Change) => {
    setUndoing(change.id);
    await undo([change.id]);
    setUndoing(undefined);
  };
  return (
    <SpaceBetween size="s">
      <Box variant="h3">History</Box>
      <ol className="history">
        {changes.map((change) => (
          <li key={change.id}>
            <SpaceBetween size="xxs">
              <div>
                <Badge>{change.operation}</Badge> <TimeText instant={change.instant} />
              </div>
              <Box color="text-body-secondary" fontSize="body-s">
                <Who id={change.actor} />
                {change.reason ? `: “${change.reason}”` : ''}
              </Box>
              <Differences change={change} fields={fields} />
              {change.revertible && (
                <Button variant="inline-link" loading={undoing === change.id} onClick={() => void take(change)}>
                  Undo this change
                </Button>
              )}
            </SpaceBetween>
          </li>
        ))}
      </ol>
      {found.hasNextPage && (
        <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          Older
        </Button>
      )}
    </SpaceBetween>
  );
}

function Differences({ change, fields }: { change: Change; fields: readonly Field[] }) {
  const known = new Map(fields.map((field) => [field.name, field]));
  const lines = Object.entries(change.changes).filter(([name]) => name !== 'version');
  if (lines.length === 0) return null;
  return (
    <dl className="differences">
      {lines.map(([name, pair]) => (
        <div key={name}>
          <dt>{known.get(name)?.label ?? name.replaceAll('_', ' ')}</dt>
          <dd>
            {'before' in pair && (
              <>
                <del><ShownValue name={name} field={known.get(name)} value={pair.before} /></del> →{' '}
              </>
            )}
            {'after' in pair ? <ins><ShownValue name={name} field={known.get(name)} value={pair.after} /></ins> : 'removed'}
          </dd>
        </div>
      ))}
    </dl>
  );
}
