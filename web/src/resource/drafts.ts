/**
 * What is being typed into a form: kept in this tab, for this person, and put back when the form is opened again, also
 * after the page was loaded anew.
 * Only the fields that were changed, beside the item as it was read: what others changed meanwhile is theirs.
 * Belongs here: keeping and taking a draft. Does not belong here: forms.
 */
import type { Values } from './describe';

const PREFIX = 'prism.draft.';

export interface Draft<R> {
  /** The item that was edited; none when one was being made. */
  read?: R;
  mine: Values;
  /** Why: for the change log. */
  reason?: string;
}

export function keepDraft<R>(form: string, draft: Draft<R>): void {
  try {
    window.sessionStorage.setItem(PREFIX + form, JSON.stringify(draft));
  } catch {
    // more than a tab may keep, such as a large picture: the open form still has it
  }
}

export function draftOf<R>(form: string): Draft<R> | undefined {
  const kept = window.sessionStorage.getItem(PREFIX + form);
  return kept === null ? undefined : (JSON.parse(kept) as Draft<R>);
}

export function dropDraft(form: string): void {
  window.sessionStorage.removeItem(PREFIX + form);
}
