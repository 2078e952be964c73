/** How often people found the alerts of each rule worth their interruption. */
import Alert from '@cloudscape-design/components/alert';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';

import { api } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { RULES } from './rules';

const percent = (share: string | number) => `${Math.round(Number(share) * 100)} %`;

export function Precision() {
  const { data, error, isPending } = useQuery({
    queryKey: ['alerts', 'precision'],
    queryFn: async ({ signal }) => (await api.GET('/api/alerts/precision', { signal })).data,
  });
  if (error) return <Alert type="error" header="The rules could not be read">{wordsOf(error)}</Alert>;
  return (
    <Table
      variant="full-page"
      contentDensity="compact"
      enableKeyboardNavigation
      items={data?.rules ?? []}
      trackBy="rule"
      loading={isPending}
      loadingText="Loading rules"
      ariaLabels={{ tableLabel: 'Rules' }}
      header={
        <Header variant="awsui-h1-sticky" description="Of the alerts that people judged, the share that was useful, with its 95 % interval. A rule with few useful ones needs another threshold.">
          Rules
        </Header>
      }
      columnDefinitions={[
        { id: 'rule', header: 'Rule', isRowHeader: true, cell: ({ rule }) => RULES[rule] },
        { id: 'judged', header: 'Judged', cell: ({ judged }) => <span className="number">{judged}</span> },
        { id: 'useful', header: 'Useful', cell: ({ useful }) => <span className="number">{useful}</span> },
        { id: 'share', header: 'Share', cell: ({ share }) => <span className="number">{share == null ? 'nobody judged yet' : percent(share)}</span> },
        { id: 'interval', header: 'Interval', cell: ({ judged, low, high }) => <span className="number">{judged > 0 ? `${percent(low)} – ${percent(high)}` : '–'}</span> },
      ]}
    />
  );
}
