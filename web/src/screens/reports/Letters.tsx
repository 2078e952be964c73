/** What an edition says: its letters one at a time, as mailed or as text, with the lists that went with them. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import Pagination from '@cloudscape-design/components/pagination';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { api, type Schemas } from '../../api/client';
import { wordsOf } from '../../api/problem';
import { download } from '../../resource/ExportMenu';
import { MailFrame } from './MailFrame';

type Letter = Schemas['LetterAnswer'];

export function Letters({ edition }: { edition: string }) {
  const [number, setNumber] = useState(1);
  const [form, setForm] = useState('mail');
  const [large, setLarge] = useState(false);
  const { data, error, isPending } = useQuery({
    queryKey: ['editions', 'letter', edition, number],
    queryFn: async ({ signal }) => (await api.GET('/api/reports/{key}/letters/{number}', { params: { path: { key: edition, number } }, signal })).data,
    staleTime: Infinity, // a stored edition never changes
  });
  if (error) return <Alert type="error" header="The letter could not be read">{wordsOf(error)}</Alert>;
  if (isPending || !data) return <Spinner />;
  const shown = data.html && form === 'mail' ? <MailFrame key={`${edition} ${number}`} letter={data} /> : <pre className="letter-text">{data.text}</pre>;
  return (
    <SpaceBetween size="s">
      {data.letters > 1 && (
        <Pagination
          currentPageIndex={number}
          pagesCount={data.letters}
          onChange={({ detail }) => setNumber(detail.currentPageIndex)}
          ariaLabels={{ nextPageLabel: 'Next letter', previousPageLabel: 'Letter before', pageLabel: (one) => `Letter ${one}` }}
        />
      )}
      <Box>
        <b>{data.subject}</b>
        <Box color="text-body-secondary" fontSize="body-s">
          {whom(data)}
        </Box>
      </Box>
      <SpaceBetween direction="horizontal" size="xs">
        {data.html && (
          <SegmentedControl
            label="Form of the letter"
            selectedId={form}
            onChange={({ detail }) => setForm(detail.selectedId)}
            options={[
              { id: 'mail', text: 'As mailed' },
              { id: 'text', text: 'Text' },
            ]}
          />
        )}
        <Button iconName="expand" onClick={() => setLarge(true)}>
          Large
        </Button>
        {data.files.map((file) => (
          <Button key={file.name} iconName="download" onClick={() => save(file)}>
            {file.name}
          </Button>
        ))}
      </SpaceBetween>
      {!large && shown}
      {large && (
        <Modal visible size="max" header={data.subject} onDismiss={() => setLarge(false)}>
          {shown}
        </Modal>
      )}
    </SpaceBetween>
  );
}

function whom({ number, letters, recipients }: Letter): string {
  const which = letters > 1 ? `Letter ${number} of ${letters}, ` : '';
  if (recipients == null) return `${which}to everybody who was subscribed as it was sent`;
  return `${which}to ${recipients} ${recipients === 1 ? 'person' : 'people'}`;
}

function save({ name, csv }: Schemas['LetterFile']): void {
  const url = URL.createObjectURL(new Blob([csv], { type: 'text/csv;charset=utf-8' }));
  download(url, name);
  // The browser has begun to read it by then.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
