/**
 * ISO weeks, written 2026-W01, Monday to Sunday; days as 2026-01-05. Calendar days only: no instants, no zones.
 */
const DAY_MS = 86_400_000;

export function dayText(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function utc(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

export function addDays(day: string, days: number): string {
  return dayText(new Date(utc(day).getTime() + days * DAY_MS));
}

/** Whether a text is a whole day that there is. */
export function isDay(text: string): boolean {
  if (!/^(19|20)\d{2}-\d{2}-\d{2}$/.test(text)) return false;
  const found = utc(text);
  return !Number.isNaN(found.getTime()) && dayText(found) === text;
}

/** The day that a calendar on the screen means by an instant: the one of which it is midnight in this browser. */
export function calendarDay(date: Date): string {
  return dayText(new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate())));
}

/** 1 for Monday to 7 for Sunday. */
export function isoWeekday(day: string): number {
  return utc(day).getUTCDay() || 7;
}

export function weekOf(day: string): string {
  const thursday = utc(addDays(day, 4 - isoWeekday(day)));
  const year = thursday.getUTCFullYear();
  const number = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS));
  return `${year}-W${String(number).padStart(2, '0')}`;
}

export function mondayOf(week: string): string {
  const [year, number] = [Number(week.slice(0, 4)), Number(week.slice(6))];
  const fourth = `${year}-01-04`;
  return addDays(fourth, 1 - isoWeekday(fourth) + (number - 1) * 7);
}

export function addWeeks(week: string, weeks: number): string {
  return weekOf(addDays(mondayOf(week), weeks * 7));
}

export function daysOf(week: string): string[] {
  const monday = mondayOf(week);
  return Array.from({ length: 7 }, (_, index) => addDays(monday, index));
}

export function isWeek(text: string): boolean {
  return /^(19|20)\d{2}-W(0[1-9]|[1-4]\d|5[0-3])$/.test(text) && weekOf(mondayOf(text)) === text;
}

const DAY_AND_MONTH = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone: 'UTC' });
const WHOLE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** 5 Jan */
export const shortDay = (day: string): string => DAY_AND_MONTH.format(utc(day));
/** Mon */
export const weekdayName = (day: string): string => WEEKDAY.format(utc(day));
/** 5 Jan 2026 */
export const wholeDay = (day: string): string => WHOLE.format(utc(day));
/** 5 Jan – 11 Jan 2026 */
export function spanOf(week: string): string {
  const monday = mondayOf(week);
  return `${shortDay(monday)} – ${wholeDay(addDays(monday, 6))}`;
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export const weekdayOf = (day: string): Weekday => WEEKDAYS[isoWeekday(day) - 1] as Weekday;
