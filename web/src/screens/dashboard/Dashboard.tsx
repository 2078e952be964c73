/** My Dashboard: what a member sees of themselves: the figures that their lead sees, their time off, their disputes. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { api } from '../../api/client';
import { ApiProblem, wordsOf } from '../../api/problem';
import { ResourceScreen } from '../../resource/ResourceScreen';
import { ScreenTabs } from '../../resource/ScreenTabs';
import { myDisputes, myTimeOff } from './descriptions';
import { Figures } from './Figures';

export default function Dashboard() {
  const me = useQuery({ queryKey: ['me'], queryFn: async () => (await api.GET('/api/me')).data });
  const member = me.data?.member.member_id ?? '';
  const timeOff = useMemo(() => myTimeOff(member), [member]);
  const disputes = useMemo(() => myDisputes(member), [member]);
  if (me.isPending) {
    return (
      <Box padding="xl" textAlign="center">
        <Spinner size="large" /> Loading your figures
      </Box>
    );
  }
  if (!me.data) {
    const unknown = me.error instanceof ApiProblem && me.error.status === 404;
    return (
      <Alert type={unknown ? 'info' : 'error'} header={unknown ? 'You are no member' : 'Your figures could not be read'}>
        {wordsOf(me.error)}
      </Alert>
    );
  }
  return (
    <ScreenTabs
      label="My Dashboard"
      tabs={[
        { id: 'figures', label: 'My figures', content: <Figures me={me.data} /> },
        {
          id: 'time-off',
          label: 'My time off',
          content: (
            <ResourceScreen
              resource={timeOff}
              screen="dashboard"
              title="My time off"
              about="Your lead decides. They see the kind of reason, not its text."
            />
          ),
        },
        {
          id: 'disputes',
          label: 'My disputes',
          content: (
            <ResourceScreen
              resource={disputes}
              screen="dashboard"
              title="My disputes"
              about="Figures that you said are wrong, and the answers. Dispute one beside it, under My figures."
            />
          ),
        },
      ]}
    />
  );
}
