/** A screenshot for a bug: pasted, dropped or chosen; shown as it will be sent. Shrinking it is shrink.ts. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FileDropzone from '@cloudscape-design/components/file-dropzone';
import FileInput from '@cloudscape-design/components/file-input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useCallback, useEffect, useRef, useState } from 'react';

import { wordsOf } from '../../api/problem';
import type { Row } from '../../resource/describe';
import { useScreenshot } from './Screenshot';
import { shrink, type Picture } from './shrink';

interface Props {
  /** What is to be sent: null takes a saved picture away, undefined leaves all as it is. */
  value: string | null | undefined;
  /** The bug that is edited, which may have a picture. */
  bug: Row | undefined;
  onChange: (base64: string | null | undefined) => void;
}

export function ScreenshotInput({ value, bug, onChange }: Props) {
  const kept = value ?? undefined;
  const saved = useScreenshot(bug?.key ?? '', bug?.version ?? 0, bug !== undefined).address;
  const [picture, setPicture] = useState<Picture | undefined>();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | undefined>();
  // The form gives another function at every stroke; the listener of the page stays the same.
  const give = useRef(onChange);
  useEffect(() => {
    give.current = onChange;
  }, [onChange]);
  const take = useCallback(async (file: Blob | undefined) => {
    if (!file) return;
    setBusy(true);
    setRefused(undefined);
    try {
      const found = await shrink(file);
      setPicture(found);
      give.current(found.base64);
    } catch (error) {
      setRefused(wordsOf(error));
    } finally {
      setBusy(false);
    }
  }, []);
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (!file) return; // text goes where the cursor is
      event.preventDefault();
      void take(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, [take]);
  return (
    <SpaceBetween size="xs">
      {refused && <Alert type="warning">{refused}</Alert>}
      {busy && <StatusIndicator type="loading">Shrinking the picture</StatusIndicator>}
      {saved && !kept && <Saved address={saved} removed={value === null} remove={(yes) => onChange(yes ? null : undefined)} />}
      {kept ? (
        <SpaceBetween size="xs">
          <img className="shot" src={`data:${picture?.type ?? 'image/webp'};base64,${kept}`} alt="The screenshot as it will be sent" />
          <SpaceBetween direction="horizontal" size="xs" alignItems="center">
            <Box color="text-body-secondary" fontSize="body-s">
              {picture && `${picture.width} × ${picture.height}, ${Math.round((picture.base64.length * 3) / 4000)} kB, ${picture.type.replace('image/', '').toUpperCase()}`}
            </Box>
            <Button
              formAction="none"
              onClick={() => {
                setPicture(undefined);
                give.current(saved ? undefined : null);
              }}
            >
              {saved ? 'Keep the one that was sent' : 'Remove the screenshot'}
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      ) : (
        <FileDropzone onChange={({ detail }) => void take(detail.value[0])}>
          <SpaceBetween size="xs" alignItems="center">
            <FileInput accept="image/*" value={[]} onChange={({ detail }) => void take(detail.value[0])}>
              Choose a picture
            </FileInput>
            <Box color="text-body-secondary" fontSize="body-s">
              or paste it (Ctrl+V), or drop it here
            </Box>
          </SpaceBetween>
        </FileDropzone>
      )}
    </SpaceBetween>
  );
}

/** The picture that the bug has: stays, unless it is removed or another one is given. */
function Saved({ address, removed, remove }: { address: string; removed: boolean; remove: (yes: boolean) => void }) {
  return (
    <SpaceBetween size="xs">
      {removed ? (
        <StatusIndicator type="warning">The screenshot is removed when the bug is saved</StatusIndicator>
      ) : (
        <img className="shot" src={address} alt="The screenshot that was sent" />
      )}
      <Button formAction="none" onClick={() => remove(!removed)}>
        {removed ? 'Keep the screenshot' : 'Remove the screenshot'}
      </Button>
    </SpaceBetween>
  );
}
