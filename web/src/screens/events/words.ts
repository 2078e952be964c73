/** Figures of events as a person reads them. */
export const percent = (share: number | null | undefined, digits = 2): string => (share == null ? '–' : `${(share * 100).toFixed(digits)} %`);

/** 850 ms, 2.4 s */
export function duration(milliseconds: number | null | undefined): string {
  if (milliseconds == null) return '–';
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}

export const whole = (value: number): string => value.toLocaleString('en-GB');
