/** The Alerts screen: what is about to go wrong, what people made of it, and how well each rule does. */
import { ResourceScreen } from '../../resource/ResourceScreen';
import { ScreenTabs } from '../../resource/ScreenTabs';
import { ALERTS, STANDING } from './description';
import { Precision } from './Precision';

export default function Alerts() {
  return (
    <ScreenTabs
      label="Alerts"
      tabs={[
        {
          id: 'standing',
          label: 'Standing',
          content: (
            <ResourceScreen
              resource={STANDING}
              screen="alerts"
              title="Alerts that stand"
              about="True when the rules looked last. What is taken up is not told again, unless it gets worse; what is silenced, not before its end."
            />
          ),
        },
        {
          id: 'ledger',
          label: 'Ledger',
          content: <ResourceScreen resource={ALERTS} screen="alerts" title="All alerts" about="Also those that were mended, or whose week went by." />,
        },
        { id: 'rules', label: 'Rules', content: <Precision /> },
      ]}
    />
  );
}
