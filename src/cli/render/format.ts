import { escapeUntrusted, escapeUntrustedJson } from "../../core/untrusted-text.ts";

/** Bytes as people read them, in powers of 1000: `512 B`, `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 || value >= 99.95 ? `${Math.round(value)} ${units[unit]}` : `${value.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds as people read them: `0.4s`, `12s`, `3m 05s`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, "0")}s`;
}

/** An ISO time as `2026-11-20 08:40`, in UTC as it is stored. */
export function formatTime(iso: string): string {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/u.test(iso) ? iso.slice(0, 16).replace("T", " ") : escapeUntrusted(iso);
}

/** `1 step`, `2 steps`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** A word as a POSIX shell reads it, for commands that are shown; hostile characters are made visible. */
export function showWord(word: string): string {
  const safe = escapeUntrusted(word);
  return /^[A-Za-z0-9_@%+=:,./-]+$/u.test(safe) ? safe : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command of a manifest on one line: a shell text's line breaks become `; `, a list is quoted word by word. */
export function showRun(run: string | readonly string[]): string {
  if (typeof run !== "string") return run.map(showWord).join(" ");
  return run
    .split(/\r?\n/u)
    .map((line) => escapeUntrusted(line.trim()))
    .filter((line) => line !== "")
    .join("; ");
}

/** A command of a manifest line by line, as it runs; hostile characters are made visible, blank lines left out. */
export function showRunLines(run: string | readonly string[]): readonly string[] {
  const text = typeof run === "string" ? run : showRun(run);
  return text
    .split(/\r?\n/u)
    .map((line) => escapeUntrusted(line.trimEnd()))
    .filter((line) => line !== "");
}

/** A value as JSON that cannot steer a terminal: see `escapeUntrustedJson`. @param indent spaces a level; 0: one line */
export function safeJson(value: unknown, indent = 0): string {
  return escapeUntrustedJson(JSON.stringify(value, null, indent));
}
