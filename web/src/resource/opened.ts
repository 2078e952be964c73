/** What opens over a list or beside it, whose code comes after the list. */
import { later } from '../shell/later';

export const BulkDialog = later(async () => (await import('./BulkDialog')).BulkDialog);
export const EditDialog = later(async () => (await import('./EditDialog')).EditDialog);
export const ItemPanel = later(async () => (await import('./ItemPanel')).ItemPanel);
