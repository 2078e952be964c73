/** One item in the panel beside its list: its fields, its steps, what a screen adds, its history. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { send } from '../api/client';
import { wordsOf } from '../api/problem';
import { useFlash } from '../shell/Flash';
import { SidePanel } from '../shell/panel';
import { BulkDialog } from './BulkDialog';
import { versionOf, type Action } from './bulk';
import type { Description, Row, Values, Verb } from './describe';
import { EditDialog } from './EditDialog';
import { HistoryPanel } from './HistoryPanel';
import { ShownValue } from './ShownValue';
import { itemPath, useWrites } from './useWrites';

interface Props<R extends Row> {
  resource: Description<R>;
  itemKey: string;
  /** The row of the list, shown until the item itself is here. */
  listed: R | undefined;
  asOf: string | undefined;
  mayWrite: boolean;
  onClose: () => void;
}

export function ItemPanel<R extends Row>({ resource, itemKey, listed, asOf, mayWrite, onClose }: Props<R>) {
  const [editing, setEditing] = useState<R | undefined>();
  const [acting, setActing] = useState<{ action: Action<R>; row: R } | undefined>();
  const found = useQuery({
    queryKey: [resource.table, 'item', itemKey, asOf],
    queryFn: async ({ signal }) =>
      (await send<R>('GET', itemPath(resource.path, itemKey), { query: { as_of: asOf }, signal })).data,
  });
  const row = found.data ?? listed;
  const [busy, take] = useQuickStep(resource);
  const fields = resource.fields ?? [];
  return (
    <SidePanel title={row ? resource.name(row) : resource.noun} onClose={onClose}>
      {!row && found.isPending && <Spinner />}
      {found.isError && <Alert type="error">{wordsOf(found.error)}</Alert>}
      {row && (
        <SpaceBetween size="l">
          {mayWrite && (resource.fields || resource.verbs) && (
            <SpaceBetween direction="horizontal" size="xs">
              {fields.some(({ once }) => !once) && <Button onClick={() => setEditing(row)}>Edit</Button>}
              {(resource.verbs ?? [])
                .filter((verb) => verb.fits?.(row) ?? true)
                .map((verb) => (
                  <Button
                    key={verb.id}
                    loading={busy === verb.id}
                    onClick={() => (verb.quick ? void take(verb, row) : setActing({ action: { kind: 'verb', verb }, row }))}
                  >
                    {verb.text}
                  </Button>
                ))}
            </SpaceBetween>
          )}
          {fields.length > 0 && (
            <KeyValuePairs
              columns={2}
              items={fields
                .filter(({ apart }) => !apart)
                .map((field) => ({ label: field.label, value: <ShownValue name={field.name} field={field} value={(row as unknown as Values)[field.name]} /> }))}
            />
          )}
          {resource.details?.(row)}
          {resource.past !== false && !asOf && (
            <HistoryPanel table={resource.table} itemKey={itemKey} version={row.version} fields={fields} />
          )}
        </SpaceBetween>
      )}
      {editing && <EditDialog resource={resource} row={editing} onClose={() => setEditing(undefined)} />}
      {acting && (
        <BulkDialog resource={resource} action={acting.action} rows={[acting.row]} onClose={() => setActing(undefined)} />
      )}
    </SidePanel>
  );
}

/** A step with one click, and which one is being taken. */
function useQuickStep<R extends Row>(resource: Description<R>) {
  const [busy, setBusy] = useState<string | undefined>();
  const { call, refresh, told } = useWrites(resource.table);
  const { fail } = useFlash();
  const take = async (verb: Verb<R>, row: R) => {
    setBusy(verb.id);
    try {
      const data = await call<unknown>('POST', `${itemPath(resource.path, row.key)}/${verb.verb}`, { body: verb.body?.(row, {}), version: row.version });
      await refresh();
      const version = versionOf(data);
      told(`${verb.text}: “${resource.name(row)}” ${verb.effect(row, {})}.`, verb.undone && version !== undefined ? [{ key: row.key, version }] : []);
    } catch (error) {
      fail(error, `“${verb.text}” was not done`);
    } finally {
      setBusy(undefined);
    }
  };
  return [busy, take] as const;
}
