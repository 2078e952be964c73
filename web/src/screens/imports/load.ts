/** A workbook to the API: small ones within the call, larger ones by a link of the lake. */
import { api, headerText, type Schemas } from '../../api/client';
import { Offline } from '../../api/problem';

export type Answer = Schemas['ImportAnswer'];
export type Source = { content: string } | { upload_id: string };
/** In base64 a third more; a call takes 1.4 million characters of it. */
const MOST_INLINE_BYTES = 1_000_000;
export const MOST_BYTES = 16 * 1024 * 1024;

export async function sourceOf(file: File): Promise<Source> {
  if (file.size <= MOST_INLINE_BYTES) return { content: await base64(file) };
  const { data } = await api.POST('/api/uploads', { body: { file_name: plainName(file.name), bytes: file.size } });
  if (!data) throw new Error('no answer');
  const headers = { 'content-type': data.headers['content-type'] ?? '' }; // its length is the browser's to say
  let answer: Response;
  try {
    answer = await fetch(data.url, { method: 'PUT', headers, body: file });
  } catch {
    throw new Offline();
  }
  if (!answer.ok) throw new Error(`The upload was answered ${answer.status}; choose the file again.`);
  return { upload_id: data.upload_id };
}

export async function load(source: Source, wish: { mapping?: string; dry_run: boolean; reason: string }): Promise<Answer> {
  const { reason, ...body } = wish;
  const header = reason ? { 'x-change-reason': headerText(reason) } : undefined;
  const { data } = await api.POST('/api/imports', { body: { ...source, ...body }, params: { header } });
  if (!data) throw new Error('no answer');
  return data;
}

/** An upload takes letters, digits and a few signs; the name of the file itself does not matter. */
function plainName(name: string): string {
  return /\.xlsm$/i.test(name) ? 'workbook.xlsm' : 'workbook.xlsx';
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.onerror = () => reject(new Error('The file could not be read; choose it again.'));
    reader.readAsDataURL(file);
  });
}
