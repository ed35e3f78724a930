const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const DAY_MS = 24 * 3_600_000;

/** Milliseconds of `90s`, `10m` or `2h`; undefined for any other text and for more than 24 hours. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,5})([smh])$/u.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * (UNITS[match[2] ?? ""] ?? Number.NaN);
  return ms <= DAY_MS ? ms : undefined;
}
