/**
 * `npm run bench [-- GROUP...] [-- --quick]`: what ipm costs, as ratios against a peer or the bare thing in the same run.
 * Groups: start, install, steps, lstm. It fails nothing: a benchmark, not a test. Let nothing else run meanwhile.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { benchEnvironment, interleave } from "./interleaved.mjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const IPM = path.join(ROOT, "bin/ipm.cjs");
const args = process.argv.slice(2);
const quick = args.includes("--quick");
const wanted = args.filter((arg) => !arg.startsWith("-"));
const work = mkdtempSync(path.join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "ipm-bench-"));
const print = (line = "") => process.stdout.write(`${line}\n`);

function table(title, results, targets) {
  print(`\n${title}`);
  print(`  ${"".padEnd(34)}${"ms".padStart(8)}${"cpu ms".padStart(8)}${"ratio".padStart(8)}   80 % of runs    target`);
  for (const [name, { wall, cpu, ratio, low, high }] of results) {
    const target = targets[name];
    const verdict =
      target === undefined ? "" : `<= ${target.toFixed(2)}  ${ratio <= target ? "reached" : "NOT reached"}`;
    const spread = `${low.toFixed(2)} to ${high.toFixed(2)}`;
    print(
      `  ${name.padEnd(34)}${wall.toFixed(1).padStart(8)}${cpu.toFixed(0).padStart(8)}${ratio.toFixed(2).padStart(8)}   ${spread.padEnd(14)}  ${verdict}`,
    );
  }
}

function git(cwd, ...words) {
  const env = { PATH: process.env.PATH, HOME: work, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  const identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
  const result = spawnSync("git", [...identity, ...words], { cwd, env, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`git ${words.join(" ")}: ${result.stderr}`);
  return result.stdout.trim();
}

/** A repository with `count` small files and one script, as a local folder. */
function makeRepository(name, count) {
  const folder = path.join(work, name);
  mkdirSync(path.join(folder, "bin"), { recursive: true });
  mkdirSync(path.join(folder, "lib"));
  writeFileSync(path.join(folder, "bin", name), "#!/bin/sh\necho ok\n", { mode: 0o755 });
  for (let index = 1; index < count; index++)
    writeFileSync(path.join(folder, "lib", `f${index}.txt`), `${index}\n`.repeat(150));
  git(folder, "init", "-q", "-b", "main", ".");
  git(folder, "add", "-A");
  git(folder, "commit", "-q", "-m", "one");
  const commit = git(folder, "rev-parse", "HEAD");
  const manifest = path.join(work, `${name}.yaml`);
  writeFileSync(
    manifest,
    `schema: ipm/v1\nname: ${name}\nsummary: A tool to measure with\nlicense: MIT\nsource: { git: "file://${folder}" }\n` +
      `versions: [{ version: 1.0.0, commit: ${commit}, tree: ${git(folder, "rev-parse", "HEAD^{tree}")} }]\n` +
      `steps: [{ run: "true" }, { uses: copy }]\nbin: [${name}]\ntests: [{ run: ${name}, expect: { stdout: "^ok$" } }]\n`,
  );
  return { folder, commit, manifest, name };
}

function start() {
  const env = benchEnvironment({ IPM_HOME: path.join(work, "start") });
  const tool = makeRepository("bench-start", 5);
  spawnSync(process.execPath, [IPM, "install", tool.manifest, "--allow-unverified", "--no-sandbox"], { env });
  const node = (name, words, expect = 0) => ({ name, argv: [process.execPath, ...words], env, expect });
  const results = interleave(
    [
      node("node -e 0", ["-e", "0"]),
      node("ipm --version", [IPM, "--version"]),
      node("ipm list", [IPM, "list"]),
      node("ipm show lstm-demo", [IPM, "show", "lstm-demo"]),
      node("ipm --help", [IPM, "--help"]),
      node("ipm instal (usage error)", [IPM, "instal"], 2),
      { name: "npm --version", argv: ["npm", "--version"], env },
    ],
    quick ? 9 : 40,
  );
  table("Start-up, against an empty Node program", results, {
    "ipm --version": 1.1,
    "ipm list": 1.1,
    "ipm show lstm-demo": 1.2,
    "ipm --help": 1.4,
    "ipm instal (usage error)": 1.4,
  });
}

function install() {
  for (const count of quick ? [43] : [43, 3000]) {
    const tool = makeRepository(`bench-${count}`, count);
    const script = path.join(work, `bare-${count}.sh`);
    const bare = path.join(work, `bare-${count}`);
    writeFileSync(
      script,
      `set -eu\ngit init -q ${bare}\ncd ${bare}\ngit fetch -q --depth 1 file://${tool.folder} ${tool.commit}\ngit checkout -q FETCH_HEAD\ntrue\n` +
        `mkdir -p ${bare}-bin\nln -sf ${bare}/bin/${tool.name} ${bare}-bin/${tool.name}\n[ "$(${bare}-bin/${tool.name})" = ok ]\n`,
    );
    const home = path.join(work, `home-${count}`);
    const env = benchEnvironment({ IPM_HOME: home, GIT_CONFIG_GLOBAL: "/dev/null" });
    const ipm = (name, extra, before) => ({
      name,
      argv: [process.execPath, IPM, "install", tool.manifest, "--allow-unverified", ...extra],
      env,
      before,
    });
    const fresh = () => rmSync(home, { recursive: true, force: true });
    const results = interleave(
      [
        {
          name: "bare shell script",
          argv: ["sh", script],
          env,
          before: () => {
            for (const folder of [bare, `${bare}-bin`]) rmSync(folder, { recursive: true, force: true });
          },
        },
        ipm("ipm install --no-sandbox", ["--no-sandbox"], fresh),
        ipm("ipm install, sandboxed", [], fresh),
      ],
      quick ? 5 : 15,
    );
    table(`Installing ${count} files, one trivial step, one test, cold`, results, {
      "ipm install --no-sandbox": count < 1000 ? 1.6 : 1.1,
    });
  }
}

/** What the sandbox adds to a step: many steps in one installation, with and without, divided by their number. */
function steps() {
  const count = 20;
  const folder = path.join(work, "steps");
  mkdirSync(path.join(folder, "bin"), { recursive: true });
  writeFileSync(path.join(folder, "bin", "bench-steps"), "#!/bin/sh\necho ok\n", { mode: 0o755 });
  const manifest = (number) =>
    `schema: ipm/v1\nname: bench-steps\nsummary: Steps to measure with\nlicense: MIT\nsteps:\n  - uses: copy\n${'  - run: ["true"]\n'.repeat(number)}` +
    `bin: [bench-steps]\ntests: [{ run: bench-steps, expect: { stdout: ok } }]\n`;
  const variants = [
    ["one", 1],
    ["many", count],
  ];
  for (const [name, number] of variants) {
    const target = path.join(work, `steps-${name}`);
    spawnSync("cp", ["-r", folder, target]);
    writeFileSync(path.join(target, "ipm.yaml"), manifest(number));
  }
  const home = path.join(work, "home-steps");
  const env = benchEnvironment({ IPM_HOME: home });
  const run = (name, target, extra) => ({
    name,
    argv: [process.execPath, IPM, "install", path.join(work, target), "--allow-unverified", ...extra],
    env,
    before: () => rmSync(home, { recursive: true, force: true }),
  });
  const results = interleave(
    [
      run("1 step, bare", "steps-one", ["--no-sandbox"]),
      run(`${count} steps, bare`, "steps-many", ["--no-sandbox"]),
      run("1 step, sandboxed", "steps-one", []),
      run(`${count} steps, sandboxed`, "steps-many", []),
    ],
    quick ? 5 : 15,
  );
  table("Steps", results, {});
  const of = (name) => results.get(name).wall;
  const bare = (of(`${count} steps, bare`) - of("1 step, bare")) / (count - 1);
  const boxed = (of(`${count} steps, sandboxed`) - of("1 step, sandboxed")) / (count - 1);
  print(
    `  a step: ${bare.toFixed(1)} ms bare, ${boxed.toFixed(1)} ms sandboxed; the sandbox adds ${(boxed - bare).toFixed(1)} ms (target <= 15)`,
  );
}

function lstm() {
  spawnSync(process.execPath, [path.join(ROOT, "test/bench/lstm.mjs"), ...(quick ? ["--quick"] : [])], {
    stdio: "inherit",
    env: benchEnvironment(),
  });
}

const groups = { start, install, steps, lstm };
const unknown = wanted.filter((name) => !(name in groups));
if (unknown.length > 0) {
  print(`no such group: ${unknown.join(", ")}; there are: ${Object.keys(groups).join(", ")}`);
  process.exit(2);
}
try {
  for (const name of wanted.length > 0 ? wanted : Object.keys(groups)) groups[name]();
} finally {
  rmSync(work, { recursive: true, force: true });
}
