/**
 * Named states of a screen, one's own and those that are shared. Belongs here: choosing, saving, deleting one.
 * A view is the parameters of the address, without the open item and the page.
 */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Alert from '@cloudscape-design/components/alert';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { memo, useState } from 'react';

import { everyRow, send, type Schemas } from '../api/client';
import { wordsOf } from '../api/problem';
import { useMemberNamesIf } from '../people/useMembers';
import { accountOf } from '../people/Who';
import { useFlash } from '../shell/Flash';
import { unlessBeside } from '../shell/dialogs';
import { useMay, useSignedIn } from '../shell/session';
import type { Address } from './useAddress';

type View = Schemas['SavedViewAnswer'];

const ADMINS = ['admin'] as const;

export const savedViewsQuery = (screen: Schemas['Screen']) =>
  queryOptions({
    queryKey: ['saved_views', screen],
    queryFn: ({ signal }) => everyRow<View>('/api/saved-views', { screen }, 500, signal),
  });

export const SavedViews = memo(function SavedViews({ screen, address }: { screen: Schemas['Screen']; address: Address }) {
  const [saving, setSaving] = useState(false);
  const { tell, fail } = useFlash();
  const { sub } = useSignedIn().session;
  const admin = useMay(ADMINS);
  const queries = useQueryClient();
  const found = useQuery(savedViewsQuery(screen));
  const views = found.data ?? [];
  const names = useMemberNamesIf(views.some(({ visibility, owner }) => visibility === 'shared' && accountOf(owner, sub) === undefined));
  const ownerOf = ({ owner }: View) => accountOf(owner, sub) ?? names.get(owner) ?? owner;
  const mine = useMine(screen, views);
  const groups = (['private', 'shared'] as const).map((visibility) => ({
    text: visibility === 'private' ? 'My views' : 'Shared views',
    items: views
      .filter((view) => view.visibility === visibility)
      .map((view) => ({ id: `open ${view.key}`, text: view.name, secondaryText: visibility === 'shared' ? `by ${ownerOf(view)}` : undefined })),
  }));
  const changed = () => queries.invalidateQueries({ queryKey: ['saved_views'] });
  const saveAgain = async ({ name, visibility, state }: View) => {
    try {
      await send('POST', '/api/saved-views', { body: { screen, name, visibility, state } });
      tell({ type: 'success', content: `The view “${name}” is there again.` });
    } catch (error) {
      fail(error, 'Not undone');
    }
    await changed();
  };
  const remove = async (key: string) => {
    const view = views.find((one) => one.key === key);
    if (!view) return;
    try {
      await send('DELETE', `/api/saved-views/${encodeURIComponent(key)}`, { version: view.version });
      // What is saved again belongs to who saves it.
      const text = mine(view) ? 'Undo' : 'Save it as yours';
      tell({ type: 'success', content: `The view “${view.name}” was deleted.`, action: { text, run: () => void saveAgain(view) } });
    } catch (error) {
      fail(error, 'Not deleted');
    }
    await changed();
  };
  const removable = views
    .filter((view) => admin || mine(view))
    .map((view) => ({ id: `delete ${view.key}`, text: `Delete “${view.name}”`, secondaryText: mine(view) ? undefined : `by ${ownerOf(view)}` }));
  return (
    <>
      <ButtonDropdown
        loading={found.isPending}
        items={[
          ...groups.filter(({ items }) => items.length > 0),
          { id: 'save', text: 'Save this view…', iconName: 'add-plus' },
          ...(removable.length > 0 ? [{ text: 'Delete a view', items: removable }] : []),
        ]}
        onItemClick={({ detail }) => {
          const [what, key = ''] = detail.id.split(' ');
          if (what === 'save') setSaving(true);
          else if (what === 'delete') void remove(key);
          else address.replace(views.find((view) => view.key === key)?.state ?? {});
        }}
      >
        Views
      </ButtonDropdown>
      {saving && <SaveDialog screen={screen} address={address} onClose={() => setSaving(false)} />}
    </>
  );
});

/**
 * Whether a view is one's own, also one that stands under one's member: the API knows who that is, and is asked where a
 * shared view may be.
 */
function useMine(screen: Schemas['Screen'], views: readonly View[]): (view: View) => boolean {
  const { sub } = useSignedIn().session;
  const surely = ({ visibility, owner }: View) => visibility === 'private' || accountOf(owner, sub) !== undefined;
  const found = useQuery({
    queryKey: ['saved_views', screen, 'own', sub],
    queryFn: ({ signal }) => everyRow<View>('/api/saved-views', { screen, owner: `user:${sub}` }, 500, signal),
    enabled: !views.every(surely),
  });
  return (view) => view.visibility === 'private' || accountOf(view.owner, sub) === 'you' || (found.data ?? []).some(({ key }) => key === view.key);
}

function SaveDialog({ screen, address, onClose }: { screen: Schemas['Screen']; address: Address; onClose: () => void }) {
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const [dated, setDated] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { tell } = useFlash();
  const week = address.one('week');
  const queries = useQueryClient();
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const left = ['item', 'page', ...(dated ? [] : ['week'])];
      const state = Object.fromEntries(Object.entries(address.state).filter(([one]) => !left.includes(one)));
      const body = { screen, name: name.trim(), visibility: shared ? 'shared' : 'private', state };
      await send('POST', '/api/saved-views', { body });
      await queries.invalidateQueries({ queryKey: ['saved_views'] });
      tell({ type: 'success', content: `The view “${name.trim()}” was saved.` });
      onClose();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Save this view"
      onDismiss={unlessBeside(onClose)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!name.trim()} onClick={() => void save()}>
              Save
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && <Alert type="error">{wordsOf(error)}</Alert>}
        <FormField label="Name" description="Filters, order and instant are kept.">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && name.trim() && void save()} />
        </FormField>
        {week && (
          <Checkbox checked={dated} onChange={({ detail }) => setDated(detail.checked)}>
            Always of {week}
          </Checkbox>
        )}
        <Checkbox checked={shared} onChange={({ detail }) => setShared(detail.checked)}>
          Everybody may open it
        </Checkbox>
      </SpaceBetween>
    </Modal>
  );
}
