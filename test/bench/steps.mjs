/** X1: what a step costs over the same in a shell script, and a step that prints 200 MB. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { interleave } from "./interleaved.mjs";
import { heading, report, skip } from "./report.mjs";
import { ipm, shell } from "./workbench.mjs";

const STEPS = 20;
const MEGABYTES = 200;

function toolWith(bench, name, steps) {
  const folder = bench.place("steps", name);
  mkdirSync(path.join(folder, "bin"), { recursive: true });
  writeFileSync(path.join(folder, "bin", name), "#!/bin/sh\necho ok\n", { mode: 0o755 });
  writeFileSync(
    path.join(folder, "ipm.yaml"),
    `schema: ipm/v1\nname: ${name}\nsummary: Steps to measure with\nlicense: MIT\nsteps:\n  - uses: copy\n${steps}` +
      `bin: [${name}]\ntests: [{ run: ${name}, expect: { stdout: ok } }]\n`,
  );
  return folder;
}

const NOTHING = '  - { run: "true", why: measured }\n';

function stepOverhead(bench, home, rounds) {
  const one = toolWith(bench, "one", NOTHING);
  const many = toolWith(bench, "many", NOTHING.repeat(STEPS));
  const install = (name, folder, flags) =>
    ipm(name, home, ["install", folder, "--allow-unverified", ...flags], { before: home.fresh });
  const script = (count) => Array.from({ length: count }, () => "/bin/sh -euc true").join("\n");
  const samples = interleave(
    [
      shell("script of one", script(1), home.env),
      shell("script of many", script(STEPS), home.env),
      install("one", one, ["--no-sandbox"]),
      install("many", many, ["--no-sandbox"]),
      install("one, sandboxed", one, []),
      install("many, sandboxed", many, []),
    ],
    rounds,
  );
  const more = STEPS - 1;
  const step = samples.difference("script of many", "script of one", more);
  heading(`Steps: ${STEPS} that do nothing against one; in a shell script each takes ${step.value.toFixed(2)} ms`);
  const own = samples.difference("many", "one", more);
  const over = (estimate) => ({
    value: estimate.value - step.value,
    low: estimate.low - step.high,
    high: estimate.high - step.low,
  });
  report({ id: "X1", what: "a step", unit: "ms over the script", measured: over(own), target: 1.5 });
  const boxed = samples.difference("many, sandboxed", "one, sandboxed", more);
  report({ id: "X1", what: "a step in the sandbox", unit: "ms over the script", measured: over(boxed), target: 16.5 });
}

/** A program that prints quickly: a file over and over. */
function makePrinter(bench) {
  const lines = bench.place("lines.txt");
  const line = (index) =>
    `[${String(index).padStart(6, "0")}] compiling src/module_${index % 97}/file_${index}.c -> build/obj/file_${index}.o\n`;
  let text = "";
  for (let index = 0; text.length < 1e6; index++) text += line(index);
  writeFileSync(lines, text);
  return `i=0; while [ $i -lt ${MEGABYTES} ]; do cat ${lines}; i=$((i+1)); done`;
}

/** Most memory in MB that a command needs, itself and no child of it alone: by time(1). */
function peakMemory({ argv, env, before }) {
  if (!existsSync("/usr/bin/time")) return undefined;
  before?.();
  const { stderr } = spawnSync("/usr/bin/time", ["-f", "%M", ...argv], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 1 << 30,
  });
  return Number(stderr.trim().split("\n").at(-1)) / 1024;
}

function muchOutput(bench, home, rounds) {
  const printer = makePrinter(bench);
  const folder = toolWith(bench, "prints", `  - { run: ${JSON.stringify(printer)}, why: measured }\n`);
  const quiet = toolWith(bench, "quiet", NOTHING);
  const install = (name, target) =>
    ipm(name, home, ["install", target, "--allow-unverified", "--no-sandbox", "--verbose"], { before: home.fresh });
  const contenders = [
    shell("sed", `{ ${printer}; } | sed 's/^/[tool] /'`, home.env),
    shell("pipe", `{ ${printer}; } | cat`, home.env),
    install("prints", folder),
    install("quiet", quiet),
  ];
  const samples = interleave(contenders, rounds);
  heading(
    `${MEGABYTES} MB of output; sed takes ${samples.ms("sed").toFixed(0)} ms for the prefix, a pipe alone ${samples.ms("pipe").toFixed(0)} ms`,
  );
  const own = samples.difference("prints", "quiet");
  const sed = samples.ms("sed");
  report({
    id: "X1",
    what: `${MEGABYTES} MB through ipm, without the installation`,
    unit: "x sed",
    measured: { value: own.value / sed, low: own.low / sed, high: own.high / sed },
    target: 1.3,
  });
  const memory = peakMemory(contenders[2]);
  if (memory === undefined) skip("X1", "memory with that output", "there is no /usr/bin/time");
  else
    report({
      id: "X1",
      what: "memory with that output",
      unit: "MB",
      measured: { value: memory, low: memory, high: memory },
      target: 120,
    });
}

export function steps(bench, { quick }) {
  const home = bench.home(bench.registry("steps", []));
  stepOverhead(bench, home, quick ? 5 : 20);
  muchOutput(bench, home, quick ? 2 : 7);
}
