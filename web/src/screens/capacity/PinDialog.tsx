/** Hours of a member on a project that every plan keeps; none at all keep the member off the project. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { ApiProblem, wordsOf } from '../../api/problem';
import type { Allocation } from '../../people/week';
import { unlessBeside } from '../../shell/dialogs';
import { useProjects } from '../../work/useProjects';
import { daysOf, shortDay, weekdayName } from '../../time/weeks';
import { hoursText, withMore, type Line } from './view';

interface Props {
  week: string;
  line: Line;
  project?: string;
  /** So many hours more than the member has on the project are proposed. */
  more?: number;
  /** What stands as the dialog opens. */
  standing: readonly Allocation[];
  onClose: () => void;
  /** Over this row, none where hours are new. Throws what the API refuses. */
  onSave: (member: string, project: string, hours: Record<string, string>, over: Allocation | undefined) => Promise<void>;
}

/** What somebody else wrote meanwhile, before it is written over knowingly: a row, or that there is none any more. */
function metIn(error: unknown): { row: Allocation | undefined } | undefined {
  if (!(error instanceof ApiProblem) || !(error.status === 412 || error.status === 404)) return undefined;
  return { row: (error.body.current ?? undefined) as Allocation | undefined };
}

export function PinDialog({ week, line, project: given, more = 0, standing: atFirst, onClose, onSave }: Props) {
  const projects = useProjects();
  const [project, setProject] = useState(given ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  // What is read anew behind the dialog is not what it shows, and is not written over.
  const [read] = useState(() => atFirst.filter(({ member_id }) => member_id === line.member));
  const [met, setMet] = useState<Readonly<Record<string, Allocation | undefined>>>({});
  const standingOf = (one: string) => (one in met ? met[one] : read.find(({ project_id }) => project_id === one));
  const standing = standingOf(project);
  // The hours that the grid shows, or that stand although a plan has none; so many more only of what was asked for.
  const proposed = (one: string) => {
    const shown = line.pieces.some((piece) => piece.project === one) ? {} : (standingOf(one)?.hours ?? {});
    const wanted = { ...shown, ...withMore(line, one, one === given ? more : 0, daysOf(week)) };
    return Object.fromEntries(Object.entries(wanted).map(([day, value]) => [day, hoursText(Number(value))]));
  };
  const [hours, setHours] = useState<Record<string, string>>(() => proposed(project));
  const choose = (next: string) => {
    // What was typed before any project was chosen is meant for the first one that is.
    const typed = project ? {} : Object.fromEntries(Object.entries(hours).filter(([, value]) => value));
    setProject(next);
    setHours({ ...proposed(next), ...typed });
  };
  const options = (projects.data ?? []).map(({ project_id, name }) => ({ value: project_id, label: name, description: project_id }));

  async function save() {
    setBusy(true);
    setError(undefined);
    const days = daysOf(week);
    const wanted = Object.fromEntries(days.filter((day) => hours[day]).map((day) => [day, (hours[day] ?? '').replace(',', '.')]));
    try {
      // An allocation has a day at least: one of no hours says that there are none.
      await onSave(line.member, project, Object.keys(wanted).length > 0 ? wanted : { [days[0] ?? '']: '0' }, standing);
      onClose();
    } catch (failed) {
      setError(failed);
      const found = metIn(failed);
      if (found) setMet((before) => ({ ...before, [project]: found.row }));
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      size="large"
      header={`Pin hours of ${line.name}`}
      onDismiss={unlessBeside(onClose)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!project} onClick={() => void save()}>
              Pin
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && (
          <Alert type="error" header="Not pinned">
            {wordsOf(error)} {met[project] && 'Below yours stands what each day has now. Pin again to put yours in its place.'}
          </Alert>
        )}
        <Box>These hours stand at once, and every plan keeps exactly them. No hours at all keep {line.name} off the project.</Box>
        <FormField label="Project">
          <Select
            selectedOption={options.find(({ value }) => value === project) ?? null}
            options={options}
            filteringType="auto"
            placeholder="Choose"
            onChange={({ detail }) => choose(detail.selectedOption.value ?? '')}
          />
        </FormField>
        <div className="weekdays">
          {daysOf(week).map((day) => (
            <FormField key={day} label={`${weekdayName(day)} ${shortDay(day)}`} constraintText={standing && `Now ${hoursText(Number(standing.hours[day] ?? 0))}`}>
              <Input value={hours[day] ?? ''} inputMode="decimal" onChange={({ detail }) => setHours((before) => ({ ...before, [day]: detail.value }))} />
            </FormField>
          ))}
        </div>
      </SpaceBetween>
    </Modal>
  );
}
