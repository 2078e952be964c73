/** Seconds as hours, as people plan with them. */
const SECONDS_OF_AN_HOUR = 3600;

export function hours(seconds: number | null | undefined): string {
  return seconds == null ? '–' : `${(seconds / SECONDS_OF_AN_HOUR).toFixed(1)} h`;
}
