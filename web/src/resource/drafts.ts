/**
 * What was typed into a form when the session ended: kept in this tab over the sign-in, and put back once.
 * Belongs here: keeping and taking a draft. Does not belong here: forms.
 */
import type { Values } from './describe';

const PREFIX = 'prism.draft.';

export function keepDraft(form: string, values: Values): void {
  window.sessionStorage.setItem(PREFIX + form, JSON.stringify(values));
}

export function draftOf(form: string): Values | undefined {
  const kept = window.sessionStorage.getItem(PREFIX + form);
  return kept === null ? undefined : (JSON.parse(kept) as Values);
}

export function dropDraft(form: string): void {
  window.sessionStorage.removeItem(PREFIX + form);
}
