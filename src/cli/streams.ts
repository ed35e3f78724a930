import * as fs from "node:fs";
import { IpmError, errnoOf } from "../core/errors.ts";

/** One of the two output streams. Writes are synchronous, so nothing is lost when the process ends. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Columns of the terminal; undefined when it is none or does not say. */
  columns(): number | undefined;
  /** The stream itself, for what draws on a terminal. Loaded on first use: it costs a millisecond. */
  stream(): NodeJS.WritableStream;
}

export interface Streams {
  readonly stdin: { readonly isTerminal: boolean; stream(): NodeJS.ReadableStream };
  readonly stdout: Output;
  readonly stderr: Output;
}

/**
 * True for a terminal. node:tty brings the whole of node:net along (3 ms), which a pipe, a file or /dev/null need not
 * pay for.
 */
function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isCharacterDevice() || stats.rdev === fs.statSync("/dev/null").rdev) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

// The reader went away (`ipm list | head -1`), or the terminal did: there is nobody left to tell.
const GONE = new Set(["EPIPE", "EIO", "EBADF"]);

function createOutput(descriptor: 1 | 2, standard: () => NodeJS.WriteStream): Output {
  let gone = false;
  let opened: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream => {
    if (opened === undefined) {
      opened = standard();
      opened.on("error", () => {
        gone = true;
      });
    }
    return opened;
  };
  let hasTerminal: boolean | undefined;
  return {
    get isTerminal() {
      return (hasTerminal ??= isTerminal(descriptor));
    },
    columns() {
      return this.isTerminal ? stream().columns || undefined : undefined;
    },
    stream,
    write: (text) => {
      let rest = Buffer.from(text, "utf8");
      while (!gone && rest.length > 0) {
        try {
          rest = rest.subarray(fs.writeSync(descriptor, rest));
        } catch (error) {
          const errno = errnoOf(error) ?? "";
          // A pipe that another process made non-blocking is full: wait for its reader.
          if (errno === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
          // The story may be lost, on a full disk for instance; the answer may not.
          else if (GONE.has(errno) || descriptor === 2) gone = true;
          else {
            gone = true;
            throw new IpmError(
              errno === "ENOSPC" ? "DISK_FULL" : "IO_FAILED",
              `cannot write to the standard output: ${errno}`,
              { hint: "what the command did is done; look at where its output goes", data: { errno }, cause: error },
            );
          }
        }
      }
    },
  };
}

/** The streams of this process. */
export function processStreams(): Streams {
  return {
    stdin: {
      get isTerminal() {
        return isTerminal(0);
      },
      stream: () => process.stdin,
    },
    stdout: createOutput(1, () => process.stdout),
    stderr: createOutput(2, () => process.stderr),
  };
}
