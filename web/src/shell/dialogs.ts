/** How a dialog is left. Belongs here: what all dialogs share about that. */
import type { ModalProps } from '@cloudscape-design/components/modal';

type Dismiss = NonNullable<ModalProps['onDismiss']>;

/** A click beside a dialog is a slip of the hand: what was typed into it stays. */
export const unlessBeside =
  (close: () => void): Dismiss =>
  ({ detail }) => {
    if (detail.reason !== 'overlay') close();
  };
