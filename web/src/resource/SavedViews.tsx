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
import { useSignedIn } from '../shell/session';
import type { Address } from './useAddress';

type View = Schemas['SavedViewAnswer'];

export const savedViewsQuery = (screen: Schemas['Screen']) =>
  queryOptions({
    queryKey: ['saved_views', screen],
    queryFn: ({ signal }) => everyRow<View>('/api/saved-views', { screen }, 500, signal),
  });

export const SavedViews = memo(function SavedViews({ screen, address }: { screen: Schemas['Screen']; address: Address }) {
  const [saving, setSaving] = useState(false);
  const { tell, fail } = useFlash();
  const { sub } = useSignedIn().session;
  const queries = useQueryClient();
  const found = useQuery(savedViewsQuery(screen));
  const views = found.data ?? [];
  const names = useMemberNamesIf(views.some(({ visibility, owner }) => visibility === 'shared' && accountOf(owner, sub) === undefined));
  const ownerOf = ({ owner }: View) => accountOf(owner, sub) ?? names.get(owner) ?? owner;
  const groups = (['private', 'shared'] as const).map((visibility) => ({
    text: visibility === 'private' ? 'My views' : 'Shared views',
    items: views
      .filter((view) => view.visibility === visibility)
      .map((view) => ({ id: `open ${view.key}`, text: view.name, secondaryText: visibility === 'shared' ? `by ${ownerOf(view)}` : undefined })),
  }));
  const remove = async (key: string) => {
    const view = views.find((one) => one.key === key);
    if (!view) return;
    try {
      await send('DELETE', `/api/saved-views/${encodeURIComponent(key)}`, { version: view.version });
      tell({ type: 'success', content: `The view “${view.name}” was deleted.` });
      await queries.invalidateQueries({ queryKey: ['saved_views'] });
    } catch (error) {
      fail(error, 'Not deleted');
    }
  };
  return (
    <>
      <ButtonDropdown
        loading={found.isPending}
        items={[
          ...groups.filter(({ items }) => items.length > 0),
          { id: 'save', text: 'Save this view…', iconName: 'add-plus' },
          ...(views.length > 0
            ? [{ text: 'Delete a view', items: views.map((view) => ({ id: `delete ${view.key}`, text: `Delete “${view.name}”` })) }]
            : []),
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

function SaveDialog({ screen, address, onClose }: { screen: Schemas['Screen']; address: Address; onClose: () => void }) {
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { tell } = useFlash();
  const queries = useQueryClient();
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const state = Object.fromEntries(Object.entries(address.state).filter(([one]) => one !== 'item' && one !== 'page'));
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
        <FormField label="Name" description="Filters, order, week and instant are kept.">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && name.trim() && void save()} />
        </FormField>
        <Checkbox checked={shared} onChange={({ detail }) => setShared(detail.checked)}>
          Everybody may open it
        </Checkbox>
      </SpaceBetween>
    </Modal>
  );
}
