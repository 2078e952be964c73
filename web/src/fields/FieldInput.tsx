/** The input of a field, by its kind, with what the API said about it. */
import Checkbox from '@cloudscape-design/components/checkbox';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { everyRow } from '../api/client';
import type { Field, FieldKind, Row, Value } from '../resource/describe';

const MOST = 5_000;

interface Props {
  field: Field;
  value: Value;
  onChange: (value: Value) => void;
  error?: string;
  /** The item that is edited; none when one is made. */
  item?: Row;
}

export function FieldInput(props: Props) {
  const { field, error } = props;
  if (field.input.kind === 'yes') {
    return (
      <FormField description={field.hint} errorText={error}>
        <Checkbox checked={props.value === true} onChange={({ detail }) => props.onChange(detail.checked)}>
          {field.label}
        </Checkbox>
      </FormField>
    );
  }
  return (
    <FormField label={field.required ? field.label : <>{field.label} – <i>optional</i></>} description={field.hint} errorText={error} stretch={field.input.kind === 'custom'}>
      {inputOf(props)}
    </FormField>
  );
}

function inputOf({ field, value, onChange, item }: Props): ReactNode {
  const { input } = field;
  const text = value === null || value === undefined ? '' : String(value);
  // An optional field that is emptied is removed; a required one is sent as it is, and the API says so.
  const give = (next: string) => onChange(next === '' && !field.required ? null : next);
  switch (input.kind) {
    case 'long':
      return <Textarea value={text} rows={3} onChange={({ detail }) => give(detail.value)} />;
    case 'day':
      return <DatePicker value={text} placeholder="2026-01-05" onChange={({ detail }) => give(detail.value)} />;
    case 'number':
      return <Input value={text} inputMode="decimal" onChange={({ detail }) => give(detail.value.replace(',', '.'))} />;
    case 'choice':
      return <Choice options={input.options} show={input.show} field={field} value={text} give={give} />;
    case 'of-list':
      return <FromList input={input} field={field} value={text} give={give} />;
    case 'custom':
      return input.input(value, onChange, field.label, item);
    default:
      return <Input value={text} onChange={({ detail }) => give(detail.value)} />;
  }
}

function Choice({
  options,
  show = (value) => value,
  field,
  value,
  give,
}: {
  options: readonly string[];
  show?: (value: string) => string;
  field: Field;
  value: string;
  give: (value: string) => void;
}) {
  const listed = options.map((one) => ({ value: one, label: show(one) }));
  const all = field.required ? listed : [{ value: '', label: '–' }, ...listed];
  return (
    <Select
      selectedOption={all.find((one) => one.value === value) ?? null}
      options={all}
      placeholder="Choose"
      onChange={({ detail }) => give(detail.selectedOption.value ?? '')}
    />
  );
}

/** A choice among the items of another list, such as a member or a project. */
function FromList({
  input,
  field,
  value,
  give,
}: {
  input: Extract<FieldKind, { kind: 'of-list' }>;
  field: Field;
  value: string;
  give: (value: string) => void;
}) {
  const [sought, setSought] = useState('');
  const found = useQuery({
    queryKey: ['all', input.list, input.query],
    queryFn: ({ signal }) => everyRow<Record<string, string>>(input.list, input.query ?? {}, MOST, signal),
  });
  const listed = (found.data ?? []).map((row) => ({ value: row[input.value] ?? '', label: input.show(row as never), description: row[input.value] }));
  const all = field.required ? listed : [{ value: '', label: '–' }, ...listed];
  return (
    <Select
      selectedOption={all.find((one) => one.value === value) ?? (value ? { value, label: value } : null)}
      options={sought ? all.filter((one) => `${one.label} ${one.value}`.toLowerCase().includes(sought.toLowerCase())) : all}
      filteringType="manual"
      filteringPlaceholder="Search"
      onLoadItems={({ detail }) => setSought(detail.filteringText)}
      statusType={found.isPending ? 'loading' : found.isError ? 'error' : 'finished'}
      loadingText="Loading"
      errorText="The list could not be read"
      empty="Nothing matches"
      placeholder="Choose"
      virtualScroll={all.length > 50}
      onChange={({ detail }) => give(detail.selectedOption.value ?? '')}
    />
  );
}
