/** The picture of one bug, fetched when its bug is opened and not before: lists carry none. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { blobOf } from '../../api/client';
import { ApiProblem, wordsOf } from '../../api/problem';

const NOT_FOUND = 404;

/** The saved picture; null when there is none. It is another one with every version. */
export function useScreenshot(bug: string, version: number, wanted = true) {
  const found = useQuery({
    enabled: wanted,
    queryKey: ['bugs', 'screenshot', bug, version],
    queryFn: async ({ signal }) => {
      try {
        return await blobOf(`/api/bugs/${encodeURIComponent(bug)}/screenshot`, signal);
      } catch (error) {
        if (error instanceof ApiProblem && error.status === NOT_FOUND) return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return { ...found, address: useObjectAddress(found.data) };
}

export function Screenshot({ bug, version, title }: { bug: string; version: number; title: string }) {
  const { address, ...found } = useScreenshot(bug, version);
  return (
    <div>
      <Box variant="h3">Screenshot</Box>
      {found.isPending && <Spinner />}
      {found.isError && <Alert type="error">{wordsOf(found.error)}</Alert>}
      {found.data === null && <Box color="text-body-secondary">None was sent.</Box>}
      {address && (
        <>
          <img className="shot" src={address} alt={`Screenshot of “${title}”`} />
          <Link href={address} external externalIconAriaLabel="opens in a new tab">
            In full size
          </Link>
        </>
      )}
    </div>
  );
}

function useObjectAddress(blob: Blob | null | undefined): string | undefined {
  const [address, setAddress] = useState<string | undefined>();
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => {
      URL.revokeObjectURL(made);
      setAddress(undefined);
    };
  }, [blob]);
  return address;
}
