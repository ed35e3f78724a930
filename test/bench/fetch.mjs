/** G1 and G2: fetching a pinned commit, against `git clone` of its tag, from a server on the loopback interface. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Samples } from "./interleaved.mjs";
import { heading, report, skip } from "./report.mjs";
import { IPM, NODE, findProgram } from "./workbench.mjs";

const FILES = 400;

/** Milliseconds that ipm says it took to fetch, of one command. */
function fetchMs(home, words) {
  const { stdout, status, stderr } = spawnSync(NODE, [IPM, ...words, "--reporter", "ndjson"], {
    env: home.env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`ipm ${words.join(" ")}: ${stderr}${stdout}`);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return events.find(({ type, phase }) => type === "phase.finished" && phase === "fetch")?.ms ?? Number.NaN;
}

function timed(argv, env) {
  const [program, ...args] = argv;
  const started = performance.now();
  const { status } = spawnSync(program, args, { env, stdio: "ignore" });
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${status}`);
  return performance.now() - started;
}

const exact = (value) => ({ value, low: value, high: value });

export async function fetchGroup(bench, { quick }) {
  const server = await bench.server();
  // What does not compress, as most of a repository's bytes do not once git has packed them.
  const tool = bench.repository("fetched", FILES, (folder) => {
    for (let index = 0; index < FILES; index++)
      writeFileSync(path.join(folder, "lib", `f${index}.txt`), randomBytes(8000).toString("base64"));
  });
  const registry = bench.registry("fetch", [tool]);
  const home = bench.home(registry);
  const copy = bench.place("copy");
  const clone = ["git", "clone", "-q", "--depth", "1", "--branch", "v1", tool.url, copy];
  const wall = new Map([
    ["git", []],
    ["ipm", []],
  ]);
  const bytes = {};
  for (let round = -1; round < (quick ? 5 : 15); round++) {
    for (const name of round % 2 === 0 ? ["git", "ipm"] : ["ipm", "git"]) {
      rmSync(copy, { recursive: true, force: true });
      home.fresh();
      await server.count();
      const ms = name === "git" ? timed(clone, home.env) : fetchMs(home, ["plan", "fetched"]);
      bytes[name] = await server.count();
      if (round >= 0) wall.get(name).push(ms);
    }
  }
  heading(
    `Fetching ${FILES} files, ${(bytes.git.sent / 1e6).toFixed(1)} MB; git clone --depth 1 takes ${bytes.git.requests} requests`,
  );
  const base = "x git clone --depth 1";
  report({
    id: "G1",
    what: "bytes of a cold fetch",
    unit: base,
    measured: exact(bytes.ipm.sent / bytes.git.sent),
    target: 1.01,
  });
  // One more than the least: the tag is asked for too, so that one that was moved is noticed.
  report({
    id: "G1",
    what: "requests of a cold fetch",
    unit: "requests",
    measured: exact(bytes.ipm.requests),
    target: 2,
  });
  const samples = new Samples(wall);
  report({
    id: "G1",
    what: "time of a cold fetch, checked and kept",
    unit: base,
    measured: samples.ratio("ipm", "git"),
    target: 1.05,
    peers: peerFetches(bench, tool, samples),
  });

  home.fresh();
  home.run("install", "fetched", "--allow-unverified", "--no-sandbox");
  bench.release(tool, (folder) => {
    for (let index = 0; index < 5; index++) appendFileSync(path.join(folder, "lib", `f${index}.txt`), "changed\n");
  });
  bench.writeManifest(registry, tool);
  await server.count();
  home.run("upgrade", "fetched", "--allow-unverified", "--no-sandbox");
  const upgrade = await server.count();
  if (!home.run("list").includes("2.0.0")) throw new Error("the upgrade did not bring the new version");
  rmSync(copy, { recursive: true, force: true });
  timed(["git", "clone", "-q", "--depth", "1", "--branch", "v2", tool.url, copy], home.env);
  const fresh = await server.count();
  report({
    id: "G2",
    what: "bytes of an upgrade, 5 files changed",
    unit: "x a fresh shallow clone",
    measured: exact(upgrade.sent / fresh.sent),
    target: 0.15,
    peers: "re-cloning 1.0",
  });
}

/** How long others take to get the same tree, as ratios to the clone. */
function peerFetches(bench, tool, samples) {
  const peers = {
    giget: (into) => ["giget", `git+${tool.url}`, into],
    degit: (into) => ["degit", tool.url, into, "--mode=git"],
  };
  const said = [];
  for (const [name, command] of Object.entries(peers)) {
    const folder = bench.place(`peer-${name}`);
    mkdirSync(folder, { recursive: true });
    if (findProgram(name) === undefined) skip("G1", name, "not installed");
    else {
      const ms = timed(command(path.join(folder, "copy")), bench.env());
      said.push(`${name} ${(ms / samples.ms("git")).toFixed(1)}`);
    }
  }
  return said.join(", ");
}
