import { PassThrough, Writable } from "node:stream";
import type { Output, Streams } from "../../src/cli/streams.ts";

export interface FakeOutput extends Output {
  /** Everything that was written. */
  text(): string;
}

/** An output that keeps what is written to it. @param columns undefined: not a terminal */
export function fakeOutput(columns?: number): FakeOutput {
  let written = "";
  const stream = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written += chunk.toString("utf8");
        done();
      },
    }),
    // What ora asks of a terminal.
    { isTTY: columns !== undefined, columns, cursorTo: () => true, clearLine: () => true, moveCursor: () => true },
  );
  return {
    isTerminal: columns !== undefined,
    columns: () => columns,
    write: (text) => {
      written += text;
    },
    stream: () => stream,
    text: () => written,
  };
}

export interface FakeStreams extends Streams {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly input: PassThrough;
}

/** @param columns of both outputs and a terminal on stdin; undefined: pipes everywhere */
export function fakeStreams(columns?: number): FakeStreams {
  const input = new PassThrough();
  return {
    input,
    stdin: { isTerminal: columns !== undefined, stream: () => input },
    stdout: fakeOutput(columns),
    stderr: fakeOutput(columns),
  };
}
