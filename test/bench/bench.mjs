/**
 * `npm run bench [-- GROUP...] [-- --quick] [-- --markdown FILE]`: what ipm costs, as ratios against a peer or the bare thing
 * in the same run, beside what was asked for (docs/performance.md). It fails nothing: a benchmark, not a test. Let nothing
 * else run meanwhile.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { fetchGroup } from "./fetch.mjs";
import { install } from "./install.mjs";
import { benchEnvironment } from "./interleaved.mjs";
import { launchers } from "./launchers.mjs";
import { registry } from "./registry.mjs";
import { markdown } from "./report.mjs";
import { start } from "./start.mjs";
import { steps } from "./steps.mjs";
import { ROOT, Workbench } from "./workbench.mjs";

const CLOEXEC = 0o2000000;
/** Set in the process that was started without the descriptors of its caller. */
const CLEAN = "IPM_BENCH_CLEAN";

function lstm(_bench, { quick }) {
  spawnSync(process.execPath, [path.join(ROOT, "test/bench/lstm.mjs"), ...(quick ? ["--quick"] : [])], {
    stdio: "inherit",
    env: benchEnvironment(),
  });
}

const GROUPS = { start, launchers, fetch: fetchGroup, registry, install, steps, lstm };

/** Descriptors that this process was started with and that every child would get: their number changes how ipm starts programs. */
function leakedDescriptors() {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((descriptor) => {
        if (descriptor < 3) return false;
        const flags = /^flags:\s*([0-7]+)$/mu.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
        return flags !== undefined && (Number.parseInt(flags, 8) & CLOEXEC) === 0;
      });
  } catch {
    return [];
  }
}

/** Start again without them; true when that was done. */
function startedClean() {
  const leaked = leakedDescriptors();
  if (leaked.length === 0 || process.env[CLEAN] !== undefined) return false;
  const close = leaked.map((descriptor) => `${descriptor}>&-`).join(" ");
  const { status } = spawnSync(
    "bash",
    ["-c", `exec ${close}; exec "$0" "$@"`, process.execPath, ...process.argv.slice(1)],
    {
      stdio: "inherit",
      env: { ...process.env, [CLEAN]: "1" },
    },
  );
  process.exitCode = status ?? 1;
  return true;
}

function describeMachine() {
  const [{ model = "unknown processor" } = {}] = cpus();
  const load = loadavg()[0];
  const busy =
    load > 0.5 ? `; it is busy (load ${load.toFixed(1)}), trust the ratios no further than their intervals` : "";
  return `Node ${process.versions.node}, ${process.platform} ${release()}, ${cpus().length} x ${model.trim()}${busy}`;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, markdown: { type: "string" } },
  });
  const unknown = positionals.filter((name) => !(name in GROUPS));
  if (unknown.length > 0) {
    process.stderr.write(`no such group: ${unknown.join(", ")}; there are: ${Object.keys(GROUPS).join(", ")}\n`);
    process.exitCode = 2;
    return;
  }
  process.stdout.write(`${describeMachine()}\n`);
  for (const name of positionals.length > 0 ? positionals : Object.keys(GROUPS)) {
    const bench = new Workbench();
    try {
      await GROUPS[name](bench, values);
    } catch (error) {
      process.stdout.write(
        `  the group ${name} ended early: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    } finally {
      await bench.end();
    }
  }
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${describeMachine()}\n\n${markdown()}`);
}

if (!startedClean()) await main();
