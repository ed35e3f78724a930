import { escapeUntrusted } from "../core/untrusted-text.ts";

/** Bytes of one line that are kept; the rest of it is counted. */
export const MAX_LINE_BYTES = 4096;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

// Colours and "erase to the end of the line" (SGR, EL) say nothing in a log. Everything else stays and is made visible.
// oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character
const DECORATION = /\u001b\[[0-9;:]*[mK]/gu;

/**
 * One line of a tool's output as it may be shown: what a carriage return wrote over is dropped (progress bars), colours
 * are dropped, every other control, bidi and invisible character is made visible.
 */
export function cleanLine(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === CARRIAGE_RETURN) end--;
  const visible = text.slice(text.lastIndexOf("\r", end - 1) + 1, end);
  return escapeUntrusted(visible.replace(DECORATION, ""));
}

/**
 * Splits the raw output of one stream into clean lines, whatever the chunks cut through: a line, a character, an escape
 * sequence. Memory is bounded by `MAX_LINE_BYTES` and the chunk.
 */
export class LineSplitter {
  #pending: Buffer = Buffer.alloc(0);
  #dropped = 0;
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let feed = bytes.indexOf(LINE_FEED); feed !== -1; feed = bytes.indexOf(LINE_FEED, start)) {
      this.#take(bytes.subarray(start, feed));
      this.#flush();
      start = feed + 1;
    }
    if (start < bytes.length) this.#take(bytes.subarray(start));
  }

  /** The last line, if the output did not end with a line feed. */
  end(): void {
    if (this.#pending.length > 0 || this.#dropped > 0) this.#flush();
  }

  #take(bytes: Buffer): void {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === CARRIAGE_RETURN) end--;
    let rest = bytes;
    if (end > 0) {
      // What stands before the last carriage return with something after it is overwritten on a terminal.
      const overwritten = bytes.lastIndexOf(CARRIAGE_RETURN, end - 1);
      if (overwritten !== -1 || this.#pending.at(-1) === CARRIAGE_RETURN) {
        this.#pending = Buffer.alloc(0);
        this.#dropped = 0;
        rest = bytes.subarray(overwritten + 1);
      }
    } else if (this.#pending.at(-1) === CARRIAGE_RETURN) return;
    const room = MAX_LINE_BYTES - this.#pending.length;
    if (rest.length > room) {
      this.#dropped += rest.length - room;
      rest = rest.subarray(0, room);
    }
    // A copy also where there is nothing to join: the chunk must not be kept alive by one short line.
    if (rest.length > 0) this.#pending = Buffer.concat([this.#pending, rest]);
  }

  #flush(): void {
    const line = cleanLine(this.#pending.toString("utf8"));
    this.#onLine(this.#dropped === 0 ? line : `${line}… (${this.#dropped} more bytes)`);
    this.#pending = Buffer.alloc(0);
    this.#dropped = 0;
  }
}
