/**
 * Where it begins: what everything else waits for is asked at once – the configuration, the app, the code of the screen
 * that the address names. Belongs here: nothing that is large, or these wait for it. The app itself is app.tsx.
 */
import { readConfig } from './config';
import { named } from './screens';

readConfig().catch(() => undefined); // told by whoever needs it, as is the next
named?.load().catch(() => undefined);
void import('./app');
