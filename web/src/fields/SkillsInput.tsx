/** Skills with their levels: one line each. */
import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';

import type { Schemas } from '../api/client';

export type Skill = Schemas['Skill'];
const LEVELS = [1, 2, 3, 4, 5].map((level) => ({ value: String(level), label: `Level ${level}` }));
const USUAL_LEVEL = 3;

export function skillsText(skills: readonly Skill[] | undefined): string {
  return (skills ?? []).map(({ name, level }) => `${name} ${level}`).join(', ') || 'none';
}

export function SkillsInput({ value, onChange }: { value: readonly Skill[]; onChange: (skills: Skill[]) => void }) {
  const put = (index: number, change: Partial<Skill>) =>
    onChange(value.map((one, place) => (place === index ? { ...one, ...change } : one)));
  return (
    <AttributeEditor
      items={value}
      addButtonText="Add a skill"
      removeButtonText="Remove"
      empty="No skills"
      onAddButtonClick={() => onChange([...value, { name: '', level: USUAL_LEVEL }])}
      onRemoveButtonClick={({ detail }) => onChange(value.filter((_, index) => index !== detail.itemIndex))}
      definition={[
        { label: 'Skill', control: ({ name }, index) => <Input value={name} onChange={({ detail }) => put(index, { name: detail.value })} /> },
        {
          label: 'Level',
          control: ({ level }, index) => (
            <Select
              selectedOption={LEVELS.find(({ value: one }) => one === String(level)) ?? null}
              options={LEVELS}
              onChange={({ detail }) => put(index, { level: Number(detail.selectedOption.value) })}
            />
          ),
        },
      ]}
    />
  );
}
