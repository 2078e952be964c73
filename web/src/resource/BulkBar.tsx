/** What can be done with the selected rows: edits, steps, deletion. One menu, one dialog. */
import ButtonDropdown, { type ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import { useState } from 'react';

import { titleOf, type Action } from './bulk';
import type { Description, Row } from './describe';
import { BulkDialog } from './opened';

interface Props<R extends Row> {
  resource: Description<R>;
  rows: readonly R[];
  /** The keys that stay selected. */
  onDone: (failed: readonly string[]) => void;
}

export function BulkBar<R extends Row>({ resource, rows, onDone }: Props<R>) {
  // The rows of the moment when the dialog was opened: a list that is read anew does not change what is asked.
  const [open, setOpen] = useState<{ action: Action<R>; rows: readonly R[] } | undefined>();
  const actions = new Map<string, Action<R>>([
    ...(resource.bulk ?? []).map((edit): [string, Action<R>] => [`edit ${edit.id}`, { kind: 'edit', edit }]),
    ...(resource.verbs ?? []).map((verb): [string, Action<R>] => [`verb ${verb.id}`, { kind: 'verb', verb }]),
    ...(resource.remove ? [['remove', { kind: 'remove' }] as [string, Action<R>]] : []),
  ]);
  if (actions.size === 0) return null;
  const items: ButtonDropdownProps.Item[] = [...actions].map(([id, action]) => ({ id, text: titleOf(action) }));
  return (
    <>
      <ButtonDropdown
        disabled={rows.length === 0}
        items={items}
        onItemClick={({ detail }) => {
          const action = actions.get(detail.id);
          if (action) setOpen({ action, rows });
        }}
      >
        {rows.length > 0 ? `Change ${rows.length}` : 'Change'}
      </ButtonDropdown>
      {open && (
        <BulkDialog
          resource={resource}
          action={open.action}
          rows={open.rows}
          onClose={(failed) => {
            setOpen(undefined);
            if (failed) onDone(failed);
          }}
        />
      )}
    </>
  );
}
