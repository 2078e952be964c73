/** Whether a publication is meant to be taken back: whose it is, and what becomes of the week. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Who } from '../../people/Who';
import { unlessBeside } from '../../shell/dialogs';
import { TimeText } from '../../time/TimeText';
import type { WeekPlan } from './view';

export function TakeBackDialog({ published, onClose, onTakeBack }: { published: WeekPlan; onClose: () => void; onTakeBack: () => void }) {
  const { week, plan, changed = 0 } = published;
  return (
    <Modal
      visible
      header={`Take the publication of ${week} back`}
      onDismiss={unlessBeside(onClose)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" onClick={onTakeBack}>
              Take it back
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="s">
        <Box>
          “{plan?.scenario}” stands since <TimeText instant={published.published} />, by <Who id={published.published_by} />.
        </Box>
        <Box>
          It changed {changed} {changed === 1 ? 'row' : 'rows'}, which get the hours of before. Days that have passed stay, and rows that somebody edited or pinned since. Members whose
          hours change get a mail.
        </Box>
      </SpaceBetween>
    </Modal>
  );
}
