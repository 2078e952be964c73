/** Entering reviews of a week: a sheet that is judged while one types, written at once, bad rows stay. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useMemo, useState } from 'react';

import { api, everyRow, send, type Schemas } from '../../api/client';
import { ApiProblem, SignedOut, wordsOf } from '../../api/problem';
import { isDecided } from '../../api/repeats';
import { versionOf } from '../../resource/bulk';
import { useAddress } from '../../resource/useAddress';
import { useWrites, type TakingBack, type Written } from '../../resource/useWrites';
import { useFlash } from '../../shell/Flash';
import { useSignedIn } from '../../shell/session';
import { mondayOf } from '../../time/weeks';
import { useWeek } from '../../time/useWeek';
import { WeekPicker } from '../../time/WeekPicker';
import { changeDraft, padded, repeatable, useDraft, type Draft } from './draft';
import { EntryGrid } from './EntryGrid';
import { SEVERITIES } from './reviews';
import { fieldsOf, isEmpty, judged, namesOf, pastedOf, sentAs, spread, type ColumnName, type Known, type Sent, type SheetRow } from './sheet';

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
const WAITING = 'Rows wait for the answer to their writing. Nothing was changed: write them again, then paste.';

/** What goes out in one call each: first what went out before, with the same key, then what is new. */
function callsOf(open: readonly SheetRow[], fresh: readonly SheetRow[], send: (row: SheetRow, key: string) => Sent): SheetRow[][] {
  const keys = new Set(open.map(({ sent }) => sent?.key));
  const found = [...keys].map((key) => open.filter(({ sent }) => sent?.key === key));
  for (let start = 0; start < fresh.length; start += ROWS_OF_A_CALL) {
    const key = crypto.randomUUID();
    found.push(fresh.slice(start, start + ROWS_OF_A_CALL).map((row) => ({ id: row.id, cells: row.cells, sent: send(row, key) })));
  }
  return found;
}

interface Answers {
  /** What stands against a row, by its id; nothing where it is written. A row that is not here is not answered. */
  of: Map<number, string | undefined>;
  made: Written[];
  failed?: unknown;
}

/** Answered before the API looks whether it has this call already. */
const BEFORE_REPEATS: readonly number[] = [401, 403];

/** `again`: it went out before, and was perhaps written then. */
async function answersTo(call: readonly SheetRow[], again: boolean): Promise<Answers> {
  const found: Answers = { of: new Map(), made: [] };
  const body = { rows: call.flatMap(({ cells, sent }) => (sent ? [{ operation: 'create', fields: fieldsOf(cells, sent) }] : [])) };
  try {
    const { data } = await send<Schemas['BulkResult']>('POST', '/api/quality/bulk', { body, repeats: call[0]?.sent?.key });
    for (const { row, status, key, item, detail, errors } of data.rows) {
      const words = errors?.map(({ message }) => message).join('; ') || detail || `answered ${status}`;
      found.of.set((call[row] as SheetRow).id, status < 400 ? undefined : words);
      if (status < 400 && key) found.made.push({ key, version: versionOf(item) });
    }
  } catch (failed) {
    found.failed = failed;
    // Refused as a whole, nothing of it is written; else nobody knows.
    const decided = failed instanceof ApiProblem && isDecided(failed.status) && !(again && BEFORE_REPEATS.includes(failed.status));
    const refused = decided || (failed instanceof SignedOut && !again);
    if (refused) for (const { id } of call) found.of.set(id, wordsOf(failed));
  }
  return found;
}

/** The rows after the answers: what is written is gone, what is refused says why, what is not answered stays as it went out. */
function answered(rows: readonly SheetRow[], answers: Answers['of']): SheetRow[] {
  return rows.flatMap((row) => {
    if (!answers.has(row.id)) return [row];
    const refused = answers.get(row.id);
    return refused === undefined ? [] : [{ id: row.id, cells: row.cells, refused }];
  });
}

export function Entry() {
  const address = useAddress();
  const week = useWeek(address);
  const { sub } = useSignedIn().session;
  const draft = useDraft(sub);
  const { rows, progress } = draft;
  const change = useCallback((how: (before: Draft) => Draft) => changeDraft(sub, how), [sub]);
  const [refused, setRefused] = useState<string | undefined>();
  const { told, refresh } = useWrites('quality');
  const { tell, fail } = useFlash();
  const known = useKnown();
  const today = useToday(rows, week);
  const filled = rows.filter((row) => !isEmpty(row));
  const open = filled.filter(({ sent }) => sent);
  const good = filled.filter((row) => !row.sent && Object.keys(judged(row, known)).length === 0);
  const ready = open.length + good.length;
  const waits = progress !== undefined || open.length > 0;

  const put = useCallback(
    (how: (rows: readonly SheetRow[]) => readonly SheetRow[]) =>
      change((before) => {
        const started = before.rows.every(isEmpty);
        return { ...before, week: started ? week : before.week, rows: padded(how(before.rows)) };
      }),
    [change, week],
  );
  // Rows that were typed of one week are never written into another one unasked.
  const elsewhere = filled.length > 0 && draft.week !== undefined && draft.week !== week ? draft.week : undefined;
  const clear = () => {
    put(() => []);
    // What was typed since the sheet was cleared stays, below.
    const back = () => change((since) => ({ ...since, week: draft.week, rows: padded([...filled, ...since.rows.filter((row) => !isEmpty(row))]) }));
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
        if (waits) throw new Error(WAITING);
        const found = pastedOf(text, column);
        setRefused(undefined);
        put((before) => spread(before, found, index));
      } catch (error) {
        setRefused(wordsOf(error));
      }
    },
    [put, waits],
  );

  // Goes on where the sheet is left meanwhile: what it changes is the draft.
  async function write() {
    change((before) => ({ ...before, rows: before.rows.map(repeatable) }));
    const first = good.map(({ id }) => id);
    const calls = callsOf(open.filter((row) => repeatable(row) === row), good, (row, key) => sentAs(row, key, week, known));
    const all = new Set(calls.flat().map(({ id }) => id));
    const written: Written[] = [];
    let done = 0;
    for (const call of calls) {
      const sent = new Map(call.map((row) => [row.id, row]));
      change((before) => ({ ...before, progress: { rows: all, done }, rows: before.rows.map((row) => sent.get(row.id) ?? row) }));
      const { of, made, failed } = await answersTo(call, !call.some(({ id }) => first.includes(id)));
      written.push(...made);
      change((before) => ({ ...before, rows: padded(answered(before.rows, of)) }));
      done += call.length;
      if (failed === undefined) continue;
      fail(failed, 'Not all rows were written');
      break;
    }
    change((before) => ({ ...before, progress: undefined }));
    await refresh();
    const left = filled.length - written.length;
    const text = `${written.length} ${written.length === 1 ? 'review' : 'reviews'} written${left > 0 ? `, ${left} stay in the sheet` : ''}.`;
    if (written.length > 0) told(text, written, WRITTEN_BACK);
  }

  return (
    <SpaceBetween size="s">
      <Header
        variant="h1"
        description="Type or paste from a spreadsheet: member, project, raw category, reviewed, correct, severity of the worst error, notes. Rows that are not written stay here."
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={filled.length === 0 || progress !== undefined} onClick={clear}>
              Clear
            </Button>
            <Button variant="primary" disabled={ready === 0 || elsewhere !== undefined} loading={progress !== undefined} onClick={() => void write()}>
              {`Write ${ready} ${ready === 1 ? 'review' : 'reviews'}`}
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
              <Button onClick={() => change((before) => ({ ...before, week }))}>{`They are of ${week}`}</Button>
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
      {progress && <ProgressBar label="Rows" value={(100 * progress.done) / Math.max(1, progress.rows.size)} description={`${progress.done} of ${progress.rows.size}`} />}
      <Suggested />
      <EntryGrid rows={rows} known={known} today={today} writing={progress?.rows ?? NONE} onChange={edit} onPaste={paste} />
      <Box color="text-body-secondary">
        {`${filled.length} rows, ${filled.length - ready} do not fit. Enter and the arrows move between rows, Tab between cells.`}
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
