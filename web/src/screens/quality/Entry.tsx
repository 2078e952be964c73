/** Entering reviews of a week: a sheet that is judged while one types, written at once, bad rows stay. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react';

import { api, everyRow, send, type Schemas } from '../../api/client';
import { Offline, wordsOf } from '../../api/problem';
import { versionOf } from '../../resource/bulk';
import { useAddress } from '../../resource/useAddress';
import { useWrites, type TakingBack, type Written } from '../../resource/useWrites';
import { useFlash } from '../../shell/Flash';
import { preference, setPreference } from '../../shell/preferences';
import { useSignedIn } from '../../shell/session';
import { mondayOf } from '../../time/weeks';
import { useWeek } from '../../time/useWeek';
import { WeekPicker } from '../../time/WeekPicker';
import { EntryGrid } from './EntryGrid';
import { SEVERITIES } from './reviews';
import { emptyRow, fieldsOf, isEmpty, judged, namesOf, pastedOf, spread, type Cells, type ColumnName, type Known, type SheetRow } from './sheet';

/** A draft is of a person in this browser: whoever signs in after them starts with an empty sheet. */
const draftName = (sub: string) => `quality-draft.${sub}`;
const BLANK_ROWS = 8;
const ROWS_OF_A_CALL = 200;
const MOST_RAW = 200;
const MOST_KNOWN = 5_000;
/** What was made is taken back by deleting it, as long as nobody has changed it. */
const WRITTEN_BACK: TakingBack = {
  most: ROWS_OF_A_CALL,
  take: async (made) => {
    const body = { rows: made.map(({ key, version }) => ({ operation: 'delete', key, version })) };
    const { data } = await send<Schemas['BulkResult']>('POST', '/api/quality/bulk', { body, reason: 'undone' });
    return data.rows.filter(({ status }) => status >= 400).map(({ status, detail }) => new Error(detail ?? `answered ${status}`));
  },
};
const FRESH_MS = 60_000;
const NONE: ReadonlySet<number> = new Set();

/** There is always an empty row below. */
function padded(rows: readonly SheetRow[]): SheetRow[] {
  const last = rows.findLastIndex((row) => !isEmpty(row));
  const missing = Math.max(0, Math.max(BLANK_ROWS, last + 2) - rows.length);
  return [...rows, ...Array.from({ length: missing }, emptyRow)];
}

interface Draft {
  /** The week that was shown when the first row was typed. */
  week: string | undefined;
  rows: SheetRow[];
}

function draftOf(sub: string): Draft {
  const text = preference(draftName(sub));
  if (!text) return { week: undefined, rows: padded([]) };
  const { week, rows } = JSON.parse(text) as { week?: string; rows: Cells[] };
  return { week, rows: padded(rows.map((cells) => ({ ...emptyRow(), cells }))) };
}

export function Entry() {
  const address = useAddress();
  const week = useWeek(address);
  const { sub } = useSignedIn().session;
  const [draft, setDraft] = useState(() => draftOf(sub));
  const { rows } = draft;
  // What was typed outlives a reload, a closed tab and a session that ended.
  useEffect(() => {
    const cells = rows.filter((row) => !isEmpty(row)).map((row) => row.cells);
    setPreference(draftName(sub), JSON.stringify({ week: draft.week, rows: cells }));
  }, [rows, draft.week, sub]);
  const [refused, setRefused] = useState<string | undefined>();
  const [done, setDone] = useState<number | undefined>();
  const [writing, setWriting] = useState(NONE);
  const { told, refresh } = useWrites('quality');
  const { tell, fail } = useFlash();
  const known = useKnown();
  const today = useToday(rows, week);
  const filled = rows.filter((row) => !isEmpty(row));
  const good = filled.filter((row) => Object.keys(judged(row, known)).length === 0);

  const put = useCallback(
    (change: (before: SheetRow[]) => SheetRow[]) =>
      setDraft((before) => {
        const next = padded(change(before.rows));
        const started = before.rows.every(isEmpty);
        return { week: started ? week : before.week, rows: next };
      }),
    [week],
  );
  // Rows that were typed of one week are never written into another one unasked.
  const elsewhere = filled.length > 0 && draft.week !== undefined && draft.week !== week ? draft.week : undefined;
  const clear = () => {
    put(() => []);
    // What was typed since the sheet was cleared stays, below.
    const back = () => setDraft((since) => ({ week: draft.week, rows: padded([...filled, ...since.rows.filter((row) => !isEmpty(row))]) }));
    tell({ type: 'info', content: 'The sheet was cleared.', action: { text: 'Undo', run: back } });
  };
  const edit = useCallback(
    (index: number, column: ColumnName, text: string) =>
      put((before) => before.map((row, at) => (at === index ? { id: row.id, cells: { ...row.cells, [column]: text } } : row))),
    [put],
  );
  const paste = useCallback(
    (index: number, column: ColumnName, text: string) => {
      try {
        if (writing.size > 0) throw new Error('Rows are being written. Nothing was changed; paste again in a moment.');
        const found = pastedOf(text, column);
        setRefused(undefined);
        put((before) => spread(before, found, index));
      } catch (error) {
        setRefused(wordsOf(error));
      }
    },
    [put, writing],
  );

  async function write() {
    const written: Written[] = [];
    const gone = new Set<number>();
    const words = new Map<number, string>();
    let asked: readonly SheetRow[] = [];
    setDone(0);
    setWriting(new Set(good.map(({ id }) => id)));
    try {
      for (let start = 0; start < good.length; start += ROWS_OF_A_CALL) {
        const part = good.slice(start, start + ROWS_OF_A_CALL);
        asked = part;
        const body = { rows: part.map((row) => ({ operation: 'create', fields: fieldsOf(row, week, known) })) };
        const { data } = await send<Schemas['BulkResult']>('POST', '/api/quality/bulk', { body });
        for (const { row, status, key, item, detail, errors } of data.rows) {
          const one = part[row] as SheetRow;
          if (status < 400) {
            gone.add(one.id);
            if (key) written.push({ key, version: versionOf(item) });
          } else words.set(one.id, errors?.map(({ message }) => message).join('; ') || detail || `answered ${status}`);
        }
        setDone(start + part.length);
      }
    } catch (error) {
      fail(error, 'Not all rows were written');
      // The same rows carry the same key and are written once; changed ones would be others.
      if (error instanceof Offline) for (const { id } of asked) words.set(id, 'no answer: write again before changing this row, and it is written once');
    } finally {
      put((before) => before.filter(({ id }) => !gone.has(id)).map((row) => (words.has(row.id) ? { ...row, refused: words.get(row.id) } : row)));
      setDone(undefined);
      setWriting(NONE);
      await refresh();
      const left = filled.length - gone.size;
      const text = `${gone.size} ${gone.size === 1 ? 'review' : 'reviews'} written${left > 0 ? `, ${left} stay in the sheet` : ''}.`;
      if (gone.size > 0) told(text, written, WRITTEN_BACK);
    }
  }

  return (
    <SpaceBetween size="s">
      <Header
        variant="h1"
        description="Type or paste from a spreadsheet: member, project, raw category, reviewed, correct, severity of the worst error, notes. Rows that are not written stay here."
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={filled.length === 0 || done !== undefined} onClick={clear}>
              Clear
            </Button>
            <Button variant="primary" disabled={good.length === 0 || elsewhere !== undefined} loading={done !== undefined} onClick={() => void write()}>
              {`Write ${good.length} ${good.length === 1 ? 'review' : 'reviews'}`}
            </Button>
          </SpaceBetween>
        }
      >
        Enter reviews
      </Header>
      <WeekPicker week={week} onChange={(next) => address.set({ week: next })} />
      {elsewhere && (
        <Alert
          type="warning"
          header={`These rows were typed for ${elsewhere}`}
          action={
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => address.set({ week: elsewhere })}>{`Back to ${elsewhere}`}</Button>
              <Button onClick={() => setDraft({ week, rows })}>{`They are of ${week}`}</Button>
            </SpaceBetween>
          }
        >
          {`${week} is shown. Nothing is written before it is clear which week they are of.`}
        </Alert>
      )}
      {refused && (
        <Alert type="warning" header="Not pasted" dismissible onDismiss={() => setRefused(undefined)}>
          {refused}
        </Alert>
      )}
      {done !== undefined && <ProgressBar label="Rows" value={(100 * done) / Math.max(1, good.length)} description={`${done} of ${good.length}`} />}
      <Suggested />
      <EntryGrid rows={rows} known={known} today={today} writing={writing} onChange={edit} onPaste={paste} />
      <Box color="text-body-secondary">
        {`${filled.length} rows, ${filled.length - good.length} do not fit. Enter and the arrows move between rows, Tab between cells.`}
      </Box>
    </SpaceBetween>
  );
}

type Member = Schemas['MemberAnswer'];
type Project = Schemas['ProjectAnswer'];

const useMembers = () => useQuery({ queryKey: ['members', 'of sheet'], queryFn: ({ signal }) => everyRow<Member>('/api/members', {}, MOST_KNOWN, signal), staleTime: FRESH_MS });
const useProjects = () => useQuery({ queryKey: ['projects', 'of sheet'], queryFn: ({ signal }) => everyRow<Project>('/api/projects', {}, MOST_KNOWN, signal), staleTime: FRESH_MS });

function useKnown(): Known | undefined {
  const [members, projects] = [useMembers().data, useProjects().data];
  return useMemo(
    () =>
      members && projects
        ? { members: namesOf(members, (one) => one.member_id, (one) => one.name), projects: namesOf(projects, (one) => one.project_id, (one) => one.name) }
        : undefined,
    [members, projects],
  );
}

/** What the raw categories of the sheet are called, as records of that week. */
function useToday(rows: readonly SheetRow[], week: string): ReadonlyMap<string, string> {
  const named = useMemo(() => [...new Set(rows.map(({ cells }) => cells.category.trim()).filter((one) => one && one.length <= 128))].sort().slice(0, MOST_RAW), [rows]);
  const raw = useDeferredValue(named);
  const found = useQuery({
    queryKey: ['taxonomy', 'map', week, raw.join('\n')],
    queryFn: async ({ signal }) => (await api.GET('/api/taxonomy-map', { params: { query: { raw, day: mondayOf(week) } }, signal })).data,
    enabled: raw.length > 0,
    placeholderData: keepPreviousData,
  });
  return useMemo(() => new Map((found.data?.items ?? []).map(({ raw: id, label }) => [id, label])), [found.data]);
}

function Suggested() {
  const [members, projects] = [useMembers().data, useProjects().data];
  return (
    <>
      <datalist id="sheet-members">
        {members?.map(({ member_id, name }) => <option key={member_id} value={member_id} label={name} />)}
      </datalist>
      <datalist id="sheet-projects">
        {projects?.map(({ project_id, name }) => <option key={project_id} value={project_id} label={name} />)}
      </datalist>
      <datalist id="sheet-severities">
        {SEVERITIES.map((one) => <option key={one} value={one} />)}
      </datalist>
    </>
  );
}
