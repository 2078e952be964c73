/** Asking the engine for a plan of the week, as it is or as a what-if. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { send } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { unlessBeside } from '../../shell/dialogs';
import type { Line, Plan } from './view';

interface Props {
  week: string;
  lines: readonly Line[];
  onClose: () => void;
  onAsked: (plan: Plan) => void;
}

const given = (text: string) => (text.trim() === '' ? undefined : text.trim().replace(',', '.'));

export function RunDialog({ week, lines, onClose, onAsked }: Props) {
  const [seconds, setSeconds] = useState('5');
  const [name, setName] = useState('');
  const [leave, setLeave] = useState<readonly string[]>([]);
  const [factor, setFactor] = useState('');
  const [overtime, setOvertime] = useState('');
  const [budget, setBudget] = useState('');
  const [noPins, setNoPins] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const options = lines.map((line) => ({ value: line.member, label: line.name, description: line.team }));

  async function ask() {
    setBusy(true);
    setError(undefined);
    const changes = {
      ...(leave.length > 0 ? { leave } : {}),
      ...(given(factor) ? { demand: [{ factor: given(factor) }] } : {}),
      ...(given(overtime) ? { overtime: [{ hours: given(overtime) }] } : {}),
      ...(given(budget) ? { move_budget_hours: given(budget) } : {}),
      ...(noPins ? { no_pins: true } : {}),
    };
    const isPlain = Object.keys(changes).length === 0 && name.trim() === '';
    const scenario = isPlain ? undefined : { name: name.trim() || 'what if', ...changes };
    try {
      const body = { seconds: Number(given(seconds) ?? 0), ...(scenario ? { scenario } : {}) };
      onAsked((await send<Plan>('POST', `/api/capacity/${week}/plans`, { body })).data);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      header={`Plan ${week}`}
      onDismiss={unlessBeside(onClose)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} onClick={() => void ask()}>
              Run
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && <Alert type="error" header="Not asked for">{wordsOf(error)}</Alert>}
        <Box>A proposal: nothing changes until it is published. Pinned hours stay.</Box>
        <FormField label="Seconds to look for a better plan" description="0 to 60; matters where limits of people or projects hold.">
          <Input value={seconds} inputMode="numeric" onChange={({ detail }) => setSeconds(detail.value)} />
        </FormField>
        <ExpandableSection headerText="What if" defaultExpanded={false}>
          <SpaceBetween size="m">
            <FormField label={<>Name – <i>optional</i></>}>
              <Input value={name} placeholder="what if" onChange={({ detail }) => setName(detail.value)} />
            </FormField>
            <FormField label={<>Members who are gone – <i>optional</i></>}>
              <Multiselect
                selectedOptions={options.filter(({ value }) => leave.includes(value))}
                options={options}
                filteringType="auto"
                placeholder="Nobody"
                onChange={({ detail }) => setLeave(detail.selectedOptions.map(({ value }) => value ?? ''))}
              />
            </FormField>
            <FormField label={<>All demand, times – <i>optional</i></>}>
              <Input value={factor} placeholder="1" inputMode="decimal" onChange={({ detail }) => setFactor(detail.value)} />
            </FormField>
            <FormField label={<>Overtime hours allowed to everybody – <i>optional</i></>}>
              <Input value={overtime} placeholder="as agreed with each" inputMode="decimal" onChange={({ detail }) => setOvertime(detail.value)} />
            </FormField>
            <FormField label={<>Published hours that may move – <i>optional</i></>}>
              <Input value={budget} placeholder="as few as can be" inputMode="decimal" onChange={({ detail }) => setBudget(detail.value)} />
            </FormField>
            <Checkbox checked={noPins} onChange={({ detail }) => setNoPins(detail.checked)}>
              As if nothing were pinned
            </Checkbox>
          </SpaceBetween>
        </ExpandableSection>
      </SpaceBetween>
    </Modal>
  );
}
