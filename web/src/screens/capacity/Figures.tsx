/** The week in four figures, above every tab: what is published, how full it is, what stays open. */
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';

import { TimeText } from '../../time/TimeText';
import { hoursText, type Line, type Plan, type WeekPlan } from './view';

export function Figures({ lines, plan, published }: { lines: readonly Line[]; plan: Plan | undefined; published: WeekPlan | undefined }) {
  const planned = lines.reduce((sum, line) => sum + line.planned, 0);
  const available = lines.reduce((sum, line) => sum + line.available, 0);
  const share = available > 0 ? ` (${Math.round((100 * planned) / available)} %)` : '';
  const open = plan ? plan.unmet_hours : published?.plan?.unmet_hours;
  const figures = plan ?? published?.plan;
  return (
    <KeyValuePairs
      columns={4}
      items={[
        { label: 'Published', value: published?.plan ? <TimeText instant={published.published} /> : 'nothing' },
        { label: 'Planned of the hours that people have', value: <span className="number">{`${hoursText(planned)} of ${hoursText(available)} h${share}`}</span> },
        { label: 'Open hours', value: <span className="number">{open == null ? '–' : hoursText(Number(open))}</span> },
        { label: 'Better by at most', value: <span className="number">{figures?.gap == null ? '–' : `${hoursText(Number(figures.gap) * 100)} %`}</span> },
      ]}
    />
  );
}
