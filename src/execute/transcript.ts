import type { Files } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { LineSplitter } from "./output-lines.ts";

export type StreamName = "stdout" | "stderr";

/** How much of one step's output is kept. */
export interface TranscriptLimits {
  /** Bytes from the beginning: they are split into lines, shown and logged as they come. */
  readonly headBytes: number;
  /** Bytes from the end: they are kept in memory and logged when the step ends. */
  readonly tailBytes: number;
}

export const TRANSCRIPT_LIMITS: TranscriptLimits = { headBytes: 4 * 1024 * 1024, tailBytes: 1024 * 1024 };

/** Lines that `lastLines` keeps. */
const LAST_LINES = 10;
/** What a line takes of the head's bytes besides its own. */
const LINE_COST = 64;
/** Lines of the tail that are logged. */
const TAIL_LINES = 20_000;
/** Past the head a line is shown for each so many bytes. */
const SHOW_EVERY_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/** The output of one step, from its first byte to its end. */
export interface StepTranscript {
  /** Take a raw chunk. Synchronous: it is called from the stream itself. */
  output(stream: StreamName, chunk: Uint8Array): void;
  /** A line of ipm's own in the log, beside the output. */
  note(line: string): void;
  /** Log what is left and a closing line. @throws IpmError when the log could not be written */
  finish(closing: string): Promise<void>;
  /** The last ten lines of both streams together, in the order of their arrival. Complete after `finish`. */
  lastLines(): readonly string[];
}

export interface Transcript {
  /** Begin a step: a heading line in the log. `onLine` gets every clean line that is shown. */
  begin(heading: string, onLine: (stream: StreamName, line: string) => void): StepTranscript;
}

/**
 * The log of one installation: an append-only text file, a heading for each step, its output in clean lines, head and
 * tail of it when there is too much. Past the head a line is shown now and then, and the last ten lines at
 * the end, so that a tool that prints without end costs no more than the pipe. The tail mixes both streams.
 * @param file absolute path of the log; its folder exists
 */
export function createTranscript(files: Files, file: string, limits: TranscriptLimits = TRANSCRIPT_LIMITS): Transcript {
  // Writes follow each other in order; the first failure is kept for `finish`.
  let writing: Promise<void> = Promise.resolve();
  const append = (text: string): void => {
    writing = writing.then(() => files.append(file, text));
    writing.catch(() => undefined);
  };

  const begin = (heading: string, onLine: (stream: StreamName, line: string) => void): StepTranscript => {
    append(`== ${escapeUntrusted(heading)}\n`);
    let gathered: string[] = [];
    const last: { readonly stream: StreamName; readonly line: string }[] = [];
    let headLeft = limits.headBytes;
    let tail: TailBuffer | undefined;
    let unseen = 0;

    const log = (stream: StreamName, line: string): void => {
      gathered.push(line, "\n");
      // Short lines cost more than their bytes: two million empty ones are not worth their time.
      headLeft -= LINE_COST;
      last.push({ stream, line });
      if (last.length > LAST_LINES) last.shift();
    };
    const writeGathered = (): void => {
      if (gathered.length > 0) append(gathered.join(""));
      gathered = [];
    };
    const show = (stream: StreamName, line: string): void => {
      log(stream, line);
      onLine(stream, line);
    };
    const head: Record<StreamName, LineSplitter> = {
      stdout: new LineSplitter((line) => show("stdout", line)),
      stderr: new LineSplitter((line) => show("stderr", line)),
    };
    const endHead = (): void => {
      head.stdout.end();
      head.stderr.end();
      writeGathered();
    };

    return {
      output: (stream, chunk) => {
        if (headLeft > 0) {
          headLeft -= chunk.length;
          head[stream].write(chunk);
          writeGathered();
          return;
        }
        if (tail === undefined) {
          endHead();
          tail = new TailBuffer(limits.tailBytes);
        }
        tail.add(chunk);
        unseen += chunk.length;
        const newest = unseen < SHOW_EVERY_BYTES ? undefined : lastWholeLine(chunk);
        if (newest === undefined) return;
        unseen = 0;
        onLine(stream, newest);
      },
      note: (line) => append(`${escapeUntrusted(line)}\n`),
      finish: async (closing) => {
        if (tail === undefined) endHead();
        else {
          const kept = lastLinesOf(tail.bytes(), TAIL_LINES);
          const omitted = tail.total - kept.length;
          if (omitted > 0) log("stdout", `… ${omitted} bytes omitted …`);
          const splitter = new LineSplitter((line) => log("stdout", line));
          splitter.write(kept);
          splitter.end();
          writeGathered();
          tail = undefined;
          for (const { stream, line } of last) onLine(stream, line);
        }
        append(`-- ${escapeUntrusted(closing)}\n`);
        await writing;
      },
      lastLines: () => last.map(({ line }) => line),
    };
  };

  return { begin };
}

/** The last line of a chunk that is whole, clean: it shows that a tool that prints without end is still at work. */
function lastWholeLine(chunk: Uint8Array): string | undefined {
  const end = chunk.lastIndexOf(LINE_FEED);
  const start = end <= 0 ? -1 : chunk.lastIndexOf(LINE_FEED, end - 1);
  if (start === -1) return undefined;
  let found: string | undefined;
  new LineSplitter((line) => {
    found = line;
  }).write(chunk.subarray(start + 1, end + 1));
  return found;
}

/** The end of some bytes that holds at most so many lines. */
function lastLinesOf(bytes: Uint8Array, count: number): Uint8Array {
  let start = bytes.length;
  for (let left = count; left >= 0; left--) {
    start = start === 0 ? -1 : bytes.lastIndexOf(LINE_FEED, start - 1);
    if (start === -1) return bytes;
  }
  return bytes.subarray(start + 1);
}

/** The last bytes of a stream of any length, in memory of a fixed size. */
class TailBuffer {
  readonly #ring: Uint8Array;
  #total = 0;

  constructor(size: number) {
    this.#ring = new Uint8Array(size);
  }

  add(chunk: Uint8Array): void {
    const size = this.#ring.length;
    const kept = chunk.length > size ? chunk.subarray(chunk.length - size) : chunk;
    this.#total += chunk.length - kept.length;
    const at = this.#total % size;
    const first = kept.subarray(0, size - at);
    this.#ring.set(first, at);
    this.#ring.set(kept.subarray(first.length), 0);
    this.#total += kept.length;
  }

  /** Bytes that were added, kept or not. */
  get total(): number {
    return this.#total;
  }

  bytes(): Uint8Array {
    const size = this.#ring.length;
    if (this.#total <= size) return this.#ring.subarray(0, this.#total);
    const at = this.#total % size;
    return Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
  }
}
