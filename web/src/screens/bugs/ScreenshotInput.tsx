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
import { shrink, type Picture } from './shrink';

/** `kept` is a picture that was put back with the rest of a form. */
export function ScreenshotInput({ kept, onChange }: { kept: string | null | undefined; onChange: (base64: string | null) => void }) {
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
      {picture || kept ? (
        <SpaceBetween size="xs">
          <img className="shot" src={`data:${picture?.type ?? 'image/webp'};base64,${picture?.base64 ?? kept}`} alt="The screenshot as it will be sent" />
          <SpaceBetween direction="horizontal" size="xs" alignItems="center">
            <Box color="text-body-secondary" fontSize="body-s">
              {picture && `${picture.width} × ${picture.height}, ${Math.round((picture.base64.length * 3) / 4000)} kB, ${picture.type.replace('image/', '').toUpperCase()}`}
            </Box>
            <Button
              onClick={() => {
                setPicture(undefined);
                give.current(null);
              }}
            >
              Remove the screenshot
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
