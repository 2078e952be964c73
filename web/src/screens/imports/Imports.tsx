/** The Import screen: a workbook is chosen, checked without writing anything, mended, then written. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { wordsOf } from '../../api/problem';
import { useAddress, useStillHere } from '../../resource/useAddress';
import { useFlash } from '../../shell/Flash';
import { useGo } from '../../shell/useGo';
import { JobProgress } from './JobProgress';
import { load, MOST_BYTES, sourceOf, type Answer, type Source } from './load';
import { Outcome, writes } from './Outcome';

/** What the API said of a workbook, and all that it said it of: what was checked is what is written. */
interface Checked {
  answer: Answer;
  source: Source;
  mapping: string | undefined;
  name: string;
}

export default function Imports() {
  const address = useAddress();
  const queries = useQueryClient();
  const stillHere = useStillHere();
  const go = useGo();
  const { tell, fail } = useFlash();
  const [file, setFile] = useState<File | undefined>();
  const [mapping, setMapping] = useState('');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState<'check' | 'write' | undefined>();
  const [failed, setFailed] = useState<unknown>();
  const [checked, setChecked] = useState<Checked | undefined>();
  const answer = checked?.answer;
  // A file or a mapping that is chosen while another is checked or written: what comes of the other is not shown for it.
  const asked = useRef(0);
  const forget = () => {
    asked.current += 1;
    setBusy(undefined);
    setChecked(undefined);
    setFailed(undefined);
  };
  const follow = (job: string, name: string) => {
    if (stillHere()) address.set({ job });
    else tell({ type: 'info', content: `${name} is being written.`, action: { text: 'Show its progress', run: () => go(`/imports?job=${encodeURIComponent(job)}`) } });
  };
  /** Shows what comes of it, unless something else was chosen meanwhile. */
  const run = async (kind: 'check' | 'write', name: string, call: () => Promise<Checked>) => {
    const mine = (asked.current += 1);
    setBusy(kind);
    setFailed(undefined);
    try {
      const found = await call();
      if (mine === asked.current) setChecked(found);
    } catch (error) {
      if (mine === asked.current) setFailed(error);
      else if (kind === 'write') fail(error, `${name} was not written`);
    } finally {
      if (mine === asked.current) setBusy(undefined);
    }
  };
  const check = (chosen: File) =>
    run('check', chosen.name, async () => {
      const wish = { mapping: mapping.trim() || undefined, dry_run: true, reason };
      const source = await sourceOf(chosen);
      return { answer: await load(source, wish), source, mapping: wish.mapping, name: chosen.name };
    });
  const write = (what: Checked) =>
    run('write', what.name, async () => {
      const found = await load(what.source, { mapping: what.mapping, dry_run: false, reason });
      await queries.invalidateQueries();
      if (found.job) follow(found.job, what.name);
      else tell({ type: 'success', content: `${what.name}: ${writes(found)} of ${found.counts.read} rows written.` });
      return { ...what, answer: found };
    });
  const job = address.one('job');
  const tooLarge = file !== undefined && file.size > MOST_BYTES;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description="Sheets of members, projects, allocations, requests, time off, reviews or bugs; also what an export of PRISM became after it was edited. Blank cells and missing rows change nothing."
        >
          Import a workbook
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container>
          <SpaceBetween size="m">
            <FormField
              label="Workbook"
              constraintText=".xlsx or .xlsm, 16 MiB and 20,000 rows at most."
              errorText={tooLarge ? 'It is larger than 16 MiB; split it, or load it with prism ingest workbook.' : undefined}
            >
              <FileUpload
                accept=".xlsx,.xlsm"
                value={file ? [file] : []}
                showFileSize
                i18nStrings={{
                  uploadButtonText: () => 'Choose a workbook',
                  dropzoneText: () => 'Drop it here',
                  removeFileAriaLabel: () => 'Remove the workbook',
                  limitShowFewer: 'Fewer',
                  limitShowMore: 'More',
                  errorIconAriaLabel: 'Error',
                }}
                onChange={({ detail }) => {
                  setFile(detail.value[0]);
                  forget();
                }}
              />
            </FormField>
            <FormField label={<>Reason – <i>optional</i></>} description="Kept in the history of every row that is written.">
              <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
            </FormField>
            <ExpandableSection headerText="Mapping, where sheets or columns have other names">
              <FormField
                label="Mapping"
                description="TOML: names of sheets and columns, forms of dates. Comes on top of what PRISM knows by itself."
                stretch
              >
                <Textarea
                  value={mapping}
                  rows={6}
                  placeholder={'[tables.allocations.columns]\nmember_id = ["Kuerzel"]'}
                  onChange={({ detail }) => {
                    setMapping(detail.value);
                    forget();
                  }}
                />
              </FormField>
            </ExpandableSection>
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                variant={answer?.dry_run ? 'normal' : 'primary'}
                disabled={!file || tooLarge || busy === 'write'}
                loading={busy === 'check'}
                onClick={() => file && void check(file)}
              >
                Check
              </Button>
              {checked && answer?.dry_run && writes(answer) > 0 && (
                <Button variant="primary" loading={busy === 'write'} disabled={busy === 'check'} onClick={() => void write(checked)}>
                  {`Write ${writes(answer)} ${writes(answer) === 1 ? 'row' : 'rows'}`}
                </Button>
              )}
            </SpaceBetween>
            {failed !== undefined && (
              <Alert type="error" header={answer ? 'Not written' : 'Not checked'}>
                {wordsOf(failed)}
              </Alert>
            )}
          </SpaceBetween>
        </Container>
        {job && <JobProgress key={job} job={job} />}
        {answer && <Outcome answer={answer} />}
        {!answer && (
          <Box color="text-body-secondary">
            Checking writes nothing and says of each row what would become of it. Then it can be written; rows that are refused come back in the same workbook, with what is wrong beside
            them.
          </Box>
        )}
      </SpaceBetween>
    </ContentLayout>
  );
}
