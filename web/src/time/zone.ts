/**
 * Instants as a person reads them: in the zone that they chose, which stands beside every time.
 * Belongs here: formatting and reading instants. Does not belong here: calendar days (weeks.ts).
 */
export const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

function parts(instant: Date, zone: string): Record<string, string> {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  return Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
}

/** 2026-01-05 08:00 */
export function localText(instant: string | Date, zone: string): string {
  const found = parts(new Date(instant), zone);
  return `${found.year}-${found.month}-${found.day} ${found.hour}:${found.minute}`;
}

/** The instant that a wall clock of a zone shows as `day` `time`; of an hour that comes twice the first. */
export function instantOf(day: string, time: string, zone: string): Date {
  const wall = Date.parse(`${day}T${time}:00Z`);
  let guess = wall;
  // The offset at the guess may be that of the other side of a clock change: twice is enough.
  for (let round = 0; round < 2; round += 1) {
    const shown = parts(new Date(guess), zone);
    const read = Date.parse(`${shown.year}-${shown.month}-${shown.day}T${shown.hour}:${shown.minute}:${shown.second}Z`);
    guess = wall - (read - guess);
  }
  return new Date(guess);
}

export function today(zone: string): string {
  return localText(new Date(), zone).slice(0, 10);
}

/** The instant as the API takes it: whole seconds in UTC. */
export function apiInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}
