/** The archive of reports: every edition that was made, and what it said. */
import type { Schemas } from '../../api/client';
import { StatusWord } from '../../figures/StatusWord';
import { KINDS, LOOKS } from '../../figures/editions';
import type { Description } from '../../resource/describe';
import { ResourceScreen } from '../../resource/ResourceScreen';
import { TimeText } from '../../time/TimeText';
import { Letters } from './Letters';

type Edition = Schemas['EditionAnswer'] & { version: number };
type Kind = Schemas['ReportKind'];

const EDITIONS: Description<Edition> = {
  table: 'editions',
  path: '/api/reports',
  noun: 'edition',
  nouns: 'editions',
  name: ({ title, number = 1 }) => (number > 1 ? `${title}, edition ${number}` : title),
  sort: '-created',
  search: 'titles',
  empty: 'No report was made yet',
  columns: [
    { id: 'title', header: 'Title', main: true, sort: 'title', width: 360, cell: ({ title }) => title },
    { id: 'report', header: 'Report', width: 170, cell: ({ report }) => KINDS[report] },
    { id: 'week', header: 'Week', sort: 'week', width: 110, cell: ({ week }) => week },
    { id: 'number', header: 'Edition', width: 90, cell: ({ number = 1 }) => <span className="number">{number}</span> },
    { id: 'status', header: 'Status', width: 130, cell: ({ status = 'prepared' }) => <StatusWord type={LOOKS[status]}>{status}</StatusWord> },
    { id: 'created', header: 'Made', sort: 'created', width: 235, cell: ({ created }) => <TimeText instant={created} /> },
    { id: 'sent', header: 'Sent', width: 235, cell: ({ sent }) => <TimeText instant={sent} /> },
    { id: 'id', header: 'Id', width: 220, cell: ({ edition_id }) => edition_id, optional: true },
  ],
  filters: [
    { name: 'report', label: 'Report', options: Object.keys(KINDS), show: (value) => KINDS[value as Kind] ?? value },
    { name: 'status', label: 'Status', options: Object.keys(LOOKS) },
    { name: 'week', label: 'Week' },
  ],
  details: (row) => <Letters key={row.key} edition={row.key} />,
};

export default function Reports() {
  return (
    <ResourceScreen
      resource={EDITIONS}
      screen="reports"
      title="Reports"
      about="Every edition that was made, as it was mailed. A second edition of a week says what changed since the first."
    />
  );
}
