/** What became of a workbook, or would: counts, sheets, and each row that is not simply unchanged. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';

import type { Schemas } from '../../api/client';
import { textOf } from '../../resource/describe';
import { download } from '../../resource/ExportMenu';
import type { Answer } from './load';

type Row = Schemas['ImportRow'];
const OUTCOMES = ['new', 'changed', 'unchanged', 'conflict', 'rejected'] as const;
const LOOKS: Record<string, StatusIndicatorProps.Type> = {
  new: 'success',
  changed: 'success',
  unchanged: 'stopped',
  conflict: 'warning',
  rejected: 'error',
};

export function writes({ counts }: Answer): number {
  return counts.new + counts.changed;
}

export function Outcome({ answer }: { answer: Answer }) {
  const bad = answer.counts.conflict + answer.counts.rejected + answer.sheets.filter(({ problem }) => problem).length;
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{answer.dry_run ? 'What would become of it; nothing is written yet' : 'What became of it'}</Header>}>
        <SpaceBetween size="m">
          <div className="counts">
            <Count label="rows read" value={answer.counts.read} />
            {OUTCOMES.map((name) => (
              <Count key={name} label={name} value={answer.counts[name]} look={answer.counts[name] > 0 ? LOOKS[name] : undefined} />
            ))}
          </div>
          {bad > 0 && answer.marked && (
            <Alert
              type="warning"
              header={answer.dry_run ? 'Some of it would be refused' : 'Some of it was refused'}
              action={
                <Button iconName="download" onClick={() => download(answer.marked ?? '', 'marked.xlsx')}>
                  Marked workbook
                </Button>
              }
            >
              It comes back as it was, with a column “PRISM errors” and the cells to blame filled. Mend it there and load it again; rows that were written are unchanged by then. The
              link lasts {Math.round(answer.seconds / 60)} minutes.
            </Alert>
          )}
          <Sheets answer={answer} />
        </SpaceBetween>
      </Container>
      {answer.rows.length > 0 && <Rows answer={answer} />}
    </SpaceBetween>
  );
}

function Count({ label, value, look }: { label: string; value: number; look?: StatusIndicatorProps.Type }) {
  return (
    <div>
      <Box variant="awsui-key-label">{look ? <StatusIndicator type={look}>{label}</StatusIndicator> : label}</Box>
      <Box fontSize="heading-l" fontWeight="bold">{value.toLocaleString('en-GB')}</Box>
    </div>
  );
}

function Sheets({ answer }: { answer: Answer }) {
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      wrapLines
      items={answer.sheets}
      trackBy="sheet"
      ariaLabels={{ tableLabel: 'Sheets of the workbook' }}
      empty="It has no sheet with rows."
      columnDefinitions={[
        { id: 'sheet', header: 'Sheet', isRowHeader: true, cell: ({ sheet }) => sheet },
        { id: 'table', header: 'Rows of', cell: ({ table }) => table ?? '–' },
        { id: 'read', header: 'Read', cell: ({ counts }) => <span className="number">{counts.read}</span> },
        { id: 'good', header: answer.dry_run ? 'Good' : 'Written', cell: ({ counts }) => <span className="number">{counts.new + counts.changed}</span> },
        { id: 'bad', header: 'Refused', cell: ({ counts }) => <span className="number">{counts.conflict + counts.rejected}</span> },
        {
          id: 'said',
          header: 'Remarks',
          cell: ({ problem, note }) => (problem ? <StatusIndicator type="error">{problem}</StatusIndicator> : (note ?? '–')),
        },
      ]}
    />
  );
}

function Rows({ answer }: { answer: Answer }) {
  return (
    <Table
      variant="container"
      contentDensity="compact"
      wrapLines
      enableKeyboardNavigation
      items={answer.rows}
      trackBy={({ sheet, row }) => `${sheet} ${row}`}
      ariaLabels={{ tableLabel: 'Rows of the workbook' }}
      header={
        <Header variant="h2" description={answer.more > 0 ? `${answer.more} more are not shown here; refused ones are all in the marked workbook.` : undefined}>
          Rows
        </Header>
      }
      columnDefinitions={[
        { id: 'row', header: 'Row', isRowHeader: true, width: 170, cell: ({ sheet, row }) => `${sheet}, ${row}` },
        { id: 'outcome', header: 'Outcome', width: 130, cell: ({ outcome }) => <StatusIndicator type={LOOKS[outcome] ?? 'info'}>{outcome}</StatusIndicator> },
        { id: 'item', header: 'Item', width: 260, cell: ({ item }) => <span className="breaks">{item ?? '–'}</span> },
        { id: 'what', header: 'What is wrong, or changes', cell: (row) => <What row={row} /> },
      ]}
    />
  );
}

function What({ row: { problems, changes, notes } }: { row: Row }) {
  return (
    <>
      {problems.map(({ cell, message }) => (
        <div key={`${cell} ${message}`}>
          {cell && <b>{cell}: </b>}
          {message}
        </div>
      ))}
      {changes.map(({ column, before, after }) => (
        <div key={column}>
          {column}: {before != null && <><del>{textOf(before)}</del> → </>}
          <b>{textOf(after)}</b>
        </div>
      ))}
      {notes.map((note) => (
        <div key={note}>{note}</div>
      ))}
    </>
  );
}
