/**
 * What differs between a platform on this machine and one on AWS: a file beside the app, never the app itself.
 * Belongs here: reading /config.json. Does not belong here: what a person prefers (shell/preferences.ts).
 */
export interface Config {
  /** The app client of the screens in the user pool. */
  client_id: string;
  /** The OpenID document of the pool; its addresses are those that a browser reaches. */
  metadata_url: string;
  /** Pages beside the screens, such as Dagster and the mailbox, by the name shown. */
  links: Record<string, string>;
}

let asked: Promise<Config> | undefined;

/** Asked once; a platform that did not answer is asked again. */
export function readConfig(): Promise<Config> {
  asked ??= read().catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

async function read(): Promise<Config> {
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`/config.json answered ${answer.status}; is the platform running?`);
  return (await answer.json()) as Config;
}
