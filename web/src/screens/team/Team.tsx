/** The Team screen: who there is, when they are away, how full they are, and whose work has no owner yet. */
import { TIME_OFF } from '../../people/timeOff';
import { ResourceScreen } from '../../resource/ResourceScreen';
import { ScreenTabs } from '../../resource/ScreenTabs';
import { Calendar } from './Calendar';
import { Load } from './Load';
import { MEMBERS } from './members';
import { WORKERS } from './workers';

export default function Team() {
  return (
    <ScreenTabs
      label="Team"
      tabs={[
        { id: 'roster', label: 'Roster', content: <ResourceScreen resource={MEMBERS} screen="team" title="Members" /> },
        {
          id: 'time-off',
          label: 'Time off',
          content: <ResourceScreen resource={TIME_OFF} screen="team" title="Time off" about="From last week to eleven weeks ahead, unless a week or a member is named." />,
        },
        { id: 'calendar', label: 'Calendar', content: <Calendar /> },
        { id: 'load', label: 'Load', content: <Load /> },
        {
          id: 'workers',
          label: 'Workers',
          content: <ResourceScreen resource={WORKERS} screen="team" title="Workers and labelling jobs" about="Identities of the labelling tool. Work of an unresolved one counts for nobody." />,
        },
      ]}
    />
  );
}
