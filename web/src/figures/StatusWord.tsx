/** A state in a word, a sign and a colour, for the cells of lists: drawn anew only where the state is another. */
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { memo } from 'react';

export const StatusWord = memo(StatusIndicator);
