// How many repositories can be installed without anybody having written a manifest for them.
//
//   npm run bench:detect -- LIST [--jobs N] [--timeout SECONDS] [--json FILE] [--keep] [--with-requirements]
//
// LIST has a line for each repository, parts apart by a tab: git URL (with @REF where it is not the newest release),
// ecosystem, smoke command, pattern that its output must match. All but the first may be left out. URLs may be served
// from local folders by `url.<folder>.insteadOf` in ~/.gitconfig. Nothing of the repositories is kept, drafts included,
// unless --keep says so.
//
// Each one goes through `ipm init`, `lint`, `plan` and `install` with a home of its own. What the machine lacks (exit 4)
// is counted apart; a crash, a hang, or an installed tool that fails its smoke test is never right.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const IPM = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../bin/ipm.cjs");
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: "string", default: "1" },
    timeout: { type: "string", default: "900" },
    json: { type: "string" },
    keep: { type: "boolean", default: false },
    "with-requirements": { type: "boolean", default: false },
  },
});
if (positionals.length !== 1) {
  console.error("usage: npm run bench:detect -- LIST [--jobs N] [--timeout SECONDS] [--json FILE] [--keep]");
  process.exit(2);
}

const LIMIT_MS = Number(flags.timeout) * 1000;
const folder = await mkdtemp(path.join(os.tmpdir(), "ipm-detect-"));

function run(program, args, env, timeout = LIMIT_MS) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      process.kill(-child.pid, "SIGKILL");
    }, timeout);
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", (error) => resolve({ code: 127, stdout, stderr: String(error), hung }));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128, stdout, stderr, hung });
    });
  });
}

/** One call of ipm: its exit code, and what it answered. */
async function ipm(home, ...args) {
  const ran = await run(process.execPath, [IPM, ...args, "--json"], { ...process.env, IPM_HOME: home, CI: "1" });
  let answer = null;
  try {
    answer = JSON.parse(ran.stdout);
  } catch {
    answer = { ok: false, error: { code: "NO_JSON", message: ran.stdout.slice(0, 200) + ran.stderr.slice(-400) } };
  }
  return { ...ran, answer };
}

const outcomeOf = ({ hung, code, answer }) =>
  hung ? "hang" : code === 4 ? "needs" : code === 70 || answer.error?.code === "NO_JSON" ? "crash" : "fails";

async function smoke(home, command, pattern) {
  const bin = path.join(home, "data/current/bin");
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: folder, IPM_HOME: home, LANG: "C.UTF-8", TERM: "xterm" };
  const ran = await run("/bin/sh", ["-c", command], env, 60_000);
  const output = ran.stdout + ran.stderr;
  return !ran.hung && (pattern === undefined || new RegExp(pattern, "mu").test(output))
    ? null
    : `${command}: ${output.slice(0, 200)}`;
}

async function tryOne({ url, ecosystem, command, pattern }, index) {
  const home = path.join(folder, String(index), "home");
  const drafts = path.join(folder, String(index), "draft");
  await mkdir(home, { recursive: true });
  await mkdir(drafts, { recursive: true });
  const started = performance.now();
  const result = { url, ecosystem, recipe: null, stage: "draft", outcome: "fails", why: null };
  const end = (stage, outcome, why) => ({
    ...result,
    stage,
    outcome,
    why,
    seconds: Math.round((performance.now() - started) / 1000),
  });
  const why = ({ answer, stderr }) => `${answer.error?.code ?? ""} ${answer.error?.message ?? stderr.slice(-300)}`;
  const at = url.indexOf("@", url.indexOf("://") + 3 + url.split("://")[1].indexOf("/"));
  const [target, ref] = at === -1 ? [url, null] : [url.slice(0, at), url.slice(at + 1)];
  const drafted = await ipm(home, "init", target, "--output", drafts, ...(ref === null ? [] : ["--ref", ref]));
  if (drafted.code !== 0) return end("draft", outcomeOf(drafted), why(drafted));
  const { draft } = drafted.answer.result;
  result.recipe = draft.candidates[draft.chosen]?.recipe ?? null;
  result.ecosystem ??= result.recipe;
  if (draft.kind === "library") return end("draft", "library", draft.candidates[draft.chosen]?.doubts.join("; "));
  const [file] = await readdir(drafts);
  const manifest = path.join(drafts, file);
  const linted = await ipm(home, "lint", "--offline", manifest);
  if (linted.code !== 0) return end("lint", outcomeOf(linted), JSON.stringify(linted.answer.result?.findings?.[0]));
  const isWorkspace = draft.kind === "workspace";
  const into = isWorkspace ? ["--into", path.join(folder, String(index), "workspace")] : [];
  const extra = flags["with-requirements"] ? ["--with-requirements", "--yes"] : [];
  if (extra.length === 0) {
    const planned = await ipm(home, "plan", manifest, ...into);
    if (planned.code !== 0) return end("plan", outcomeOf(planned), why(planned));
  }
  const installed = await ipm(home, "install", manifest, "--allow-unverified", ...extra, ...into);
  if (installed.code !== 0) return end("install", outcomeOf(installed), why(installed));
  if (command !== undefined && command !== "") {
    const line = isWorkspace
      ? `"${process.execPath}" "${IPM}" run ${draft.name} -- sh -c '${command.replaceAll("'", `'\\''`)}'`
      : command;
    const wrong = await smoke(home, line, pattern);
    if (wrong !== null) return end("smoke", "wrong success", wrong);
  }
  return end("smoke", "passed", null);
}

const entries = (await readFile(positionals[0], "utf8"))
  .split("\n")
  .map((line) => line.trimEnd())
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [url, ecosystem, command, pattern] = line.split("\t");
    return { url, ecosystem: ecosystem === "" ? undefined : ecosystem, command, pattern };
  });

const results = [];
const queue = [...entries.entries()];
async function worker() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [index, entry] = next;
    const result = await tryOne(entry, index);
    results[index] = result;
    const { url, recipe, stage, outcome, why, seconds } = result;
    console.log(
      `${outcome.padEnd(13)} ${String(seconds).padStart(4)}s  ${url}  ${recipe ?? "-"}${outcome === "passed" ? "" : `  at ${stage}: ${(why ?? "").replaceAll("\n", " ").slice(0, 300)}`}`,
    );
    if (!flags.keep) {
      await run("/bin/chmod", ["-R", "u+rwx", path.join(folder, String(index))], process.env);
      await rm(path.join(folder, String(index)), { recursive: true, force: true });
    }
  }
}
await Promise.all(Array.from({ length: Math.max(1, Number(flags.jobs)) }, worker));

const ORDER = ["draft", "lint", "plan", "install", "smoke"];
const reached = (result, stage) => ORDER.indexOf(result.stage) > ORDER.indexOf(stage) || result.outcome === "passed";
const rows = [...new Set(results.map(({ ecosystem }) => ecosystem ?? "none")), "all"].map((ecosystem) => {
  const own = results.filter((result) => ecosystem === "all" || (result.ecosystem ?? "none") === ecosystem);
  const count = (test) => own.filter(test).length;
  const needs = count(({ outcome }) => outcome === "needs");
  const passed = count(({ outcome }) => outcome === "passed");
  const able = own.length - needs;
  return {
    ecosystem,
    repositories: own.length,
    "lint clean": count((result) => reached(result, "lint")),
    planned: count((result) => reached(result, "plan")),
    installed: count((result) => reached(result, "install")),
    passed,
    "needs what is not here": needs,
    "passed of the able": able === 0 ? "-" : `${Math.round((100 * passed) / able)} %`,
    wrong: count(({ outcome }) => ["wrong success", "crash", "hang"].includes(outcome)),
  };
});
const columns = Object.keys(rows[0] ?? {});
console.log(`\n| ${columns.join(" | ")} |\n|${columns.map(() => "---").join("|")}|`);
for (const row of rows) console.log(`| ${columns.map((column) => row[column]).join(" | ")} |`);
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify({ rows, results }, null, 2)}\n`);
if (flags.keep) console.log(`\nkept: ${folder}`);
else await rm(folder, { recursive: true, force: true });
process.exitCode = rows.at(-1)?.wrong > 0 ? 1 : 0;
