import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type StepTranscript, type TranscriptLimits, createTranscript } from "../../../src/execute/transcript.ts";
import { createFiles } from "../../../src/host/files.ts";

let folder: string;
let file: string;
let shown: string[];
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "ipm-test-transcript-"));
  file = path.join(folder, "log");
  shown = [];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function begin(limits?: TranscriptLimits): StepTranscript {
  return createTranscript(createFiles(), file, limits).begin("step 1: build", (_stream, line) => shown.push(line));
}
const log = (): string[] => fs.readFileSync(file, "utf8").split("\n").slice(0, -1);

describe("transcript", () => {
  test("logs a heading, every line and the end, and shows every line", async () => {
    const step = begin();
    step.output("stdout", Buffer.from("one\ntw"));
    step.output("stderr", Buffer.from("err\n"));
    step.output("stdout", Buffer.from("o\n"));
    await step.finish("exit code 0");
    expect(log()).toEqual(["== step 1: build", "one", "err", "two", "-- exit code 0"]);
    expect(shown).toEqual(["one", "err", "two"]);
  });

  test("a line is in the log while the step still runs", async () => {
    const step = begin();
    step.output("stdout", Buffer.from("slow\n"));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(log()).toEqual(["== step 1: build", "slow"]);
    await step.finish("exit code 0");
  });

  test("C54: keeps head and tail of too much, and says how much is missing", async () => {
    const step = begin({ headBytes: 1000, tailBytes: 100 });
    for (let index = 0; index < 1000; index++)
      step.output("stdout", Buffer.from(`line ${String(index).padStart(4, "0")}\n`));
    await step.finish("exit code 0");
    const lines = log();
    expect(lines.slice(0, 3)).toEqual(["== step 1: build", "line 0000", "line 0001"]);
    expect(lines.slice(-3)).toEqual(["line 0998", "line 0999", "-- exit code 0"]);
    const omitted = lines.findIndex((line) => line.includes("bytes omitted"));
    expect(lines[omitted]).toMatch(/^… [0-9]+ bytes omitted …$/u);
    expect(lines.length).toBeLessThan(40);
    expect(step.lastLines()).toHaveLength(10);
    expect(step.lastLines().at(-1)).toBe("line 0999");
    expect(shown.at(-1)).toBe("line 0999");
  });

  test("says nothing of missing bytes when head and tail hold everything", async () => {
    const step = begin({ headBytes: 100, tailBytes: 10_000 });
    for (let index = 0; index < 100; index++) step.output("stdout", Buffer.from(`line ${index}\n`));
    await step.finish("exit code 0");
    expect(log().slice(1, -1)).toEqual(Array.from({ length: 100 }, (_, index) => `line ${index}`));
  });

  test("A15: a heading and an end cannot forge lines", async () => {
    const step = createTranscript(createFiles(), file).begin("step 1: x\n== step 2: fake", () => undefined);
    await step.finish("exit\n-- code");
    expect(log()).toEqual(["== step 1: x\\x0a== step 2: fake", "-- exit\\x0a-- code"]);
  });

  test("a log that cannot be written fails the step", async () => {
    const step = createTranscript(createFiles(), path.join(folder, "no/log")).begin("x", () => undefined);
    await expect(step.finish("exit code 0")).rejects.toMatchObject({ code: "IO_FAILED" });
  });

  test("C54: 200 MB of short lines, and of one line, need neither memory nor disk", async () => {
    const bundle = path.join(folder, "flood.mjs");
    await build({
      stdin: {
        resolveDir: process.cwd(),
        contents: `
          import { createTranscript } from "./src/execute/transcript.ts";
          import { createFiles } from "./src/host/files.ts";
          import { createProcesses } from "./src/host/processes.ts";
          const step = createTranscript(createFiles(), ${JSON.stringify(file)}).begin("flood", () => {});
          const run = (script) => createProcesses().run({ argv: ["/bin/sh", "-c", script], cwd: "/", env: { PATH: "/usr/bin:/bin" },
            onOutput: (stream, chunk) => step.output(stream, chunk) });
          await run("yes | head -c 200000000");
          await run("head -c 200000000 /dev/zero | tr '\\\\0' x");
          await step.finish("exit code 0");
          console.log(process.resourceUsage().maxRSS);`,
      },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: bundle,
      logLevel: "error",
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    const kilobytes = Number(execFileSync(process.execPath, [bundle]).toString());
    expect(kilobytes).toBeGreaterThan(10_000);
    // Newer ones let more garbage lie before they collect it: 142 MB with Node 24.
    const isOldest = process.versions.node.startsWith("20.");
    expect(kilobytes).toBeLessThan(isOldest ? 130_000 : 170_000);
    expect(fs.statSync(file).size).toBeLessThan(8 * 1024 * 1024);
  });
});
