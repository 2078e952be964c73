/**
 * The panel beside a screen: one item with its details and history. A screen fills it; the shell shows it.
 * Belongs here: handing content from a screen to the shell's split panel. Does not belong here: what is in it.
 */
import { createContext, useContext, useEffect, type ReactNode } from 'react';
import { createPortal } from 'react-dom';

export interface PanelPlace {
  host: HTMLElement | null;
  /** The title of an open panel and what closes it; undefined closes it. */
  open: (panel: { title: string; close: () => void } | undefined) => void;
}

export const PanelContext = createContext<PanelPlace>({ host: null, open: () => undefined });

export function SidePanel({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const { host, open } = useContext(PanelContext);
  useEffect(() => open({ title, close: onClose }), [title, onClose, open]);
  useEffect(() => () => open(undefined), [open]);
  return host && createPortal(children, host);
}
