/** Members as the API knows them: what the roster shows, what can be edited, alone and many at once. */
import { StatusWord } from '../../figures/StatusWord';
import type { Member } from '../../people/useMembers';
import type { Description, Field, Value } from '../../resource/describe';
import { WEEKDAYS } from '../../time/weeks';
import { HoursInput, hoursText, totalHours } from './HoursInput';
import { SkillsInput, skillsText, type Skill } from '../../fields/SkillsInput';

const STATUSES = ['active', 'inactive'] as const;
const SKILLS: Field = {
  name: 'skills',
  label: 'Skills',
  input: { kind: 'custom', input: (value, set) => <SkillsInput value={(value ?? []) as Skill[]} onChange={set} /> },
  show: (value: Value) => skillsText(value as Skill[]),
  hint: 'Level 1 is learning, 5 teaches it.',
};
const HOURS: Field = {
  name: 'hours',
  label: 'Hours by weekday',
  input: {
    kind: 'custom',
    input: (value, set) => <HoursInput value={(value ?? {}) as Record<string, string>} onChange={set} />,
  },
  show: (value: Value) => hoursText(value as Record<string, string>),
};
const STATUS: Field = { name: 'status', label: 'Status', input: { kind: 'choice', options: STATUSES }, required: true, initial: 'active' };
const TEAM: Field = { name: 'team', label: 'Team', input: { kind: 'text' } };
const ZONE: Field = { name: 'time_zone', label: 'Time zone', input: { kind: 'text' }, required: true, hint: 'Such as Europe/Madrid.' };
const LOCATION: Field = {
  name: 'location',
  label: 'Location',
  input: { kind: 'text' },
  hint: 'Decides the public holidays: a country such as ES, or a part of it such as ES-MD.',
};

export const MEMBERS: Description<Member> = {
  table: 'members',
  path: '/api/members',
  noun: 'member',
  nouns: 'members',
  name: ({ name }) => name,
  sort: 'name',
  search: 'names, e-mail addresses and ids',
  create: true,
  remove: true,
  columns: [
    { id: 'name', header: 'Name', main: true, sort: 'name', cell: ({ name }) => name, width: 190 },
    { id: 'member_id', header: 'Id', sort: 'member_id', cell: ({ member_id }) => member_id, width: 110 },
    {
      id: 'status',
      header: 'Status',
      sort: 'status',
      width: 110,
      cell: ({ status }) => <StatusWord type={status === 'inactive' ? 'stopped' : 'success'}>{status}</StatusWord>,
    },
    { id: 'team', header: 'Team', sort: 'team', cell: ({ team }) => team ?? '–', width: 150 },
    { id: 'skills', header: 'Skills', cell: ({ skills }) => skillsText(skills), width: 300 },
    { id: 'total', header: 'Hours a week', cell: ({ hours }) => <span className="number">{totalHours(hours)}</span>, width: 115 },
    ...WEEKDAYS.map((day) => ({
      id: day,
      header: day.charAt(0).toUpperCase() + day.slice(1),
      cell: ({ hours }: Member) => <span className="number">{hours?.[day] ? Number(hours[day]) : '–'}</span>,
      width: 70,
      optional: day === 'sat' || day === 'sun',
    })),
    { id: 'time_zone', header: 'Time zone', sort: 'time_zone', cell: ({ time_zone }) => time_zone, width: 150 },
    { id: 'location', header: 'Location', sort: 'location', cell: ({ location }) => location ?? '–', width: 110 },
    { id: 'email', header: 'E-mail', cell: ({ email }) => email, width: 220, optional: true },
    { id: 'max_projects', header: 'Most projects', cell: ({ max_projects }) => max_projects ?? '–', width: 130, optional: true },
    { id: 'overtime', header: 'Overtime', cell: ({ overtime_hours }) => overtime_hours ?? '–', width: 110, optional: true },
  ],
  filters: [
    { name: 'status', label: 'Status', options: STATUSES },
    { name: 'team', label: 'Team' },
    { name: 'location', label: 'Location' },
    { name: 'member_id', label: 'Member id' },
  ],
  fields: [
    { name: 'member_id', label: 'Id', input: { kind: 'text' }, required: true, once: true, hint: 'Letters, digits and . _ : + -' },
    { name: 'name', label: 'Name', input: { kind: 'text' }, required: true },
    { name: 'email', label: 'E-mail', input: { kind: 'text' }, required: true },
    { ...STATUS },
    TEAM,
    ZONE,
    LOCATION,
    SKILLS,
    HOURS,
    { name: 'max_projects', label: 'Most projects in a week', input: { kind: 'number' } },
    { name: 'overtime_hours', label: 'Overtime hours a week', input: { kind: 'number' }, required: true, initial: '0' },
  ],
  bulk: [
    {
      id: 'team',
      text: 'Set the team',
      fields: [TEAM],
      change: (_, { team }) => ({ team: team ?? null }),
    },
    {
      id: 'skill',
      text: 'Add a skill',
      fields: [{ ...SKILLS, hint: 'Added to those that each member has; a skill that they have gets this level.' }],
      change: ({ skills }, values) => ({ skills: merged(skills ?? [], (values.skills ?? []) as Skill[]) }),
    },
    { id: 'hours', text: 'Set the hours by weekday', fields: [HOURS], change: (_, { hours }) => ({ hours: hours ?? {} }) },
    { id: 'zone', text: 'Set the time zone', fields: [ZONE], change: (_, { time_zone }) => ({ time_zone }) },
    { id: 'location', text: 'Set the location', fields: [LOCATION], change: (_, { location }) => ({ location: location ?? null }) },
    { id: 'status', text: 'Set the status', fields: [STATUS], change: (_, { status }) => ({ status }) },
  ],
};

function merged(before: readonly Skill[], added: readonly Skill[]): Skill[] {
  const names = new Set(added.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...added];
}
