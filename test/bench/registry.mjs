/** R1 to R5: a registry of 100,000 entries against one of ten, against git, and against parsing it. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { Samples, benchEnvironment, interleave } from "./interleaved.mjs";
import { heading, report, skip } from "./report.mjs";
import { IPM, NODE, ORIGIN, ROOT } from "./workbench.mjs";

const CHANGED = 50;
const exact = (value) => ({ value, low: value, high: value });

function must(argv, options = {}) {
  const [program, ...args] = argv;
  const result = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (result.status !== 0) throw new Error(`${argv.join(" ")}: ${result.status} ${result.stderr}`);
  return result.stdout.trim();
}

function timed(argv, options) {
  const begin = performance.now();
  must(argv, options);
  return performance.now() - begin;
}

/**
 * Ask again when the first answer fails: the server closed the connection while this process was waiting for a command, and
 * it could not notice.
 */
async function twice(ask) {
  try {
    return await ask();
  } catch {
    return ask();
  }
}

/** A bounded server of plain files, in a process of its own. */
function serve(folder) {
  const script = path.join(ROOT, "test/bench/static-server.mjs");
  const child = spawn(NODE, [script, folder], { stdio: ["pipe", "pipe", "inherit"], env: benchEnvironment() });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stdout.once("data", (port) => {
      const url = `http://127.0.0.1:${Number(port)}`;
      const count = async () => (await fetch(`${url}/__count`)).json();
      resolve({ url, count: () => twice(count), stop: () => child.stdin.end() });
    });
  });
}

/** What runs ipm's own code on a registry, as one program. */
async function bundleParts(bench) {
  const outfile = bench.place("registry-parts.cjs");
  const entry = path.join(ROOT, "test/bench/registry-parts.ts");
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "cjs", logLevel: "warning" });
  return (...words) => [NODE, outfile, ...words];
}

/** A home of ipm that has fetched what a server publishes. */
function homeAt(bench, name, url) {
  const folder = bench.place("homes", name);
  const env = bench.env({ IPM_HOME: folder });
  const add = [NODE, IPM, "registry", "add", url];
  return { folder, env, add, fresh: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Peak memory of a command in MB, or undefined where nothing tells it. */
function peakMegabytes(argv, env) {
  if (!existsSync("/usr/bin/time")) return undefined;
  const { stderr } = spawnSync("/usr/bin/time", ["-f", "%M", "--", ...argv], { env, encoding: "utf8" });
  return Number(stderr.trim().split("\n").at(-1)) / 1024;
}

/** Kinds of queries, made from names that the registry has. */
function queriesFrom(names, count) {
  const pick = (at) => names[(at * 7919) % names.length];
  const swap = (word) => word.slice(0, 2) + word.charAt(3) + word.charAt(2) + word.slice(4);
  const kinds = [
    (at) => pick(at),
    (at) => pick(at).slice(0, 4),
    (at) => swap(pick(at)),
    (at) => `${pick(at).slice(0, -1)}x`,
    () => "files",
    (at) => ["modern command line", "containers clusters", "fuzzy matching json"][at % 3],
    (at) => ["contaniers", "databses", "certficates", "validat"][at % 4],
    () => "xyzzyqu",
  ];
  return Array.from({ length: count }, (_, at) => kinds[at % kinds.length](at + 1));
}

async function lookUps(bench, homes, sizes, rounds) {
  const [small] = sizes;
  const large = sizes.at(-1);
  const show = (size) => ({
    name: `show of ${size}`,
    argv: [NODE, IPM, "show", homes.get(size).names[Math.floor(homes.get(size).names.length / 2)]],
    env: homes.get(size).env,
  });
  const empty = { name: "node -e 0", argv: [NODE, "-e", "0"], env: bench.env() };
  const samples = interleave([empty, ...sizes.map(show)], rounds);
  report({
    id: "R1",
    what: `show, one of ${large} over one of ${small}`,
    unit: "ms more",
    measured: samples.difference(`show of ${large}`, `show of ${small}`),
    target: 3,
    peers: `${samples.ms(`show of ${large}`).toFixed(1)} ms in all, node -e 0 ${samples.ms("node -e 0").toFixed(1)}`,
  });
  const memory = [small, large].map((size) => peakMegabytes(show(size).argv, show(size).env));
  if (memory[0] === undefined) skip("R1", "memory", "there is no /usr/bin/time");
  else
    report({ id: "R1", what: "memory, the same", unit: "MB more", measured: exact(memory[1] - memory[0]), target: 5 });
}

function searches(bench, kind, { env, names }, size, count, rounds) {
  const queries = [...new Set(queriesFrom(names, count))];
  const empty = { name: "node -e 0", argv: [NODE, "-e", "0"], env: bench.env() };
  const contenders = queries.map((query) => ({ name: query, argv: [NODE, IPM, "search", query], env }));
  const samples = interleave([empty, ...contenders], rounds);
  const costs = queries
    .map((query) => samples.difference(query, "node -e 0"))
    .toSorted((left, right) => left.value - right.value);
  const shown = { unit: "ms over node -e 0" };
  const what = `search among ${size}, ${kind}, ${queries.length} queries with typos`;
  report({ id: "R2", what: `${what}: median`, ...shown, measured: costs[Math.floor(costs.length / 2)], target: 6 });
  report({ id: "R2", what: `${what}: worst`, ...shown, measured: costs.at(-1), target: 25 });
}

/** A home that uses a registry: a folder, or a git repository by its URL. */
function homeWith(bench, name, registry, names) {
  const env = bench.env({ IPM_HOME: bench.place("homes", name) });
  must([NODE, IPM, "registry", "add", registry], { env });
  return { env, names };
}

async function transfers(bench, parts, folder, size, names, { quick }) {
  const rounds = quick ? 3 : 5;
  const work = bench.place("git-work");
  cpSync(folder, work, { recursive: true });
  bench.git(work, "init", "-q", "-b", "main", ".");
  bench.git(work, "add", "-A");
  bench.git(work, "commit", "-q", "-m", "one");
  const server = await bench.server();
  const bare = bench.place("served", "registry.git");
  bench.git(bench.folder, "clone", "-q", "--bare", work, bare);
  // As forges do.
  bench.git(bare, "repack", "-adqb");
  const published = bench.place("public");
  const publish = [NODE, IPM, "registry", "build", folder, "--out", published];
  const url = `${server.origin}registry.git`;
  searches(bench, "git", homeWith(bench, "git", `${ORIGIN}registry.git`, names), size, 16, rounds);
  must(publish, { env: bench.env({ IPM_HOME: bench.place("homes", "publisher") }) });
  const files = await serve(published);
  const clone = bench.place("clone");
  const home = homeAt(bench, "first-copy", files.url);
  try {
    const wall = new Map([
      ["git clone", []],
      ["ipm registry add", []],
    ]);
    let sent = { git: 0, ipm: 0 };
    for (let round = 0; round < rounds; round++) {
      rmSync(clone, { recursive: true, force: true });
      home.fresh();
      await Promise.all([twice(() => server.count()), files.count()]);
      wall.get("git clone").push(timed(["git", "clone", "-q", "--depth", "1", url, clone], { env: bench.env() }));
      wall.get("ipm registry add").push(timed(home.add, { env: home.env }));
      sent = { git: (await twice(() => server.count())).sent, ipm: (await files.count()).sent };
    }
    const samples = new Samples(wall);
    const unit = "x git clone --depth 1";
    const ms = `git ${(samples.ms("git clone") / 1000).toFixed(1)} s, ipm ${(samples.ms("ipm registry add") / 1000).toFixed(2)} s`;
    const mb = `git ${(sent.git / 1e6).toFixed(1)} MB, ipm ${(sent.ipm / 1e6).toFixed(1)} MB`;
    const first = `first copy of ${size}`;
    report({
      id: "R3",
      what: `${first}: time`,
      unit,
      measured: samples.ratio("ipm registry add", "git clone"),
      target: 0.15,
      peers: ms,
    });
    report({ id: "R3", what: `${first}: bytes`, unit, measured: exact(sent.ipm / sent.git), target: 0.5, peers: mb });

    await updates(bench, { parts, folder, work, bare, server, files, publish, clone, home, rounds });
  } finally {
    files.stop();
  }
}

async function updates(bench, { parts, folder, work, bare, server, files, publish, clone, home, rounds }) {
  const wall = new Map([
    ["git pull", []],
    ["ipm update", []],
    ["ipm registry build", []],
  ]);
  let sent = {};
  for (let round = 1; round <= rounds; round++) {
    must(parts("change", folder, String(CHANGED), String(round)));
    must(parts("change", work, String(CHANGED), String(round)));
    bench.git(work, "commit", "-qam", String(round));
    bench.git(bare, "fetch", "-q", work, "main:main");
    const publisher = { env: bench.env({ IPM_HOME: bench.place("homes", "publisher") }) };
    wall.get("ipm registry build").push(timed(publish, publisher));
    await Promise.all([twice(() => server.count()), files.count()]);
    wall.get("git pull").push(timed(["git", "-C", clone, "pull", "-q", "--ff-only"], { env: bench.env() }));
    wall.get("ipm update").push(timed([NODE, IPM, "update"], { env: home.env }));
    sent = { git: (await twice(() => server.count())).sent, ipm: (await files.count()).sent };
  }
  const samples = new Samples(wall);
  report({
    id: "R4",
    what: `update, ${CHANGED} changed`,
    unit: "x git pull",
    measured: samples.ratio("ipm update", "git pull"),
    target: 0.1,
    peers: `git ${samples.ms("git pull").toFixed(0)} ms, ${(sent.git / 1e3).toFixed(0)} kB; ipm ${samples.ms("ipm update").toFixed(0)} ms, ${(sent.ipm / 1e3).toFixed(0)} kB`,
  });
  const built = samples.spread("ipm registry build");
  report({
    id: "",
    what: `registry build, ${CHANGED} changed`,
    unit: "s",
    measured: { value: built.value / 1000, low: built.low / 1000, high: built.high / 1000 },
  });
  await files.count();
  must([NODE, IPM, "update"], { env: home.env });
  const { requests } = await files.count();
  report({ id: "R4", what: "update, nothing new", unit: "requests", measured: exact(requests), target: 1 });
}

function builds(bench, parts, folder, size, rounds) {
  const index = bench.place("built.index");
  const env = bench.env();
  const samples = interleave(
    [
      { name: "parse", argv: parts("parse", folder), env },
      { name: "compile", argv: parts("compile", folder, index), env },
    ],
    rounds,
  );
  report({
    id: "R5",
    what: `index of ${size} manifests`,
    unit: "x parsing them with yaml",
    measured: samples.ratio("compile", "parse"),
    target: 1.2,
    peers: `yaml ${(samples.ms("parse") / 1000).toFixed(1)} s, index of ${(statSync(index).size / 1e6).toFixed(0)} MB`,
  });
  const { queries, expected, found } = JSON.parse(must(parts("recall", String(size), index), { env }));
  report({
    id: "R2",
    what: `missed of what a brute-force search finds, ${queries} queries`,
    unit: "% of the hits",
    measured: exact((100 * (expected - found)) / expected),
    target: 1,
  });
  const names = JSON.parse(must(parts("change", folder, String(CHANGED), "77"), { env }));
  const times = Array.from({ length: Math.max(5, rounds) }, () =>
    Number(must(parts("update", folder, index, names.join(",")), { env })),
  ).toSorted((left, right) => left - right);
  report({
    id: "R5",
    what: `the same, ${CHANGED} changed, in a new process`,
    unit: "ms",
    measured: { value: times[Math.floor(times.length / 2)], low: times[0], high: times.at(-1) },
    target: 150,
  });
}

export async function registry(bench, { quick }) {
  const sizes = quick ? [10, 1_000, 5_000] : [10, 1_000, 100_000];
  const large = sizes.at(-1);
  const parts = await bundleParts(bench);
  heading(`A registry of ${large} entries, looked up, searched, fetched and built`);
  const servers = [];
  const homes = new Map();
  try {
    for (const size of sizes) {
      const folder = bench.place("generated", String(size));
      mkdirSync(path.dirname(folder), { recursive: true });
      must(parts("generate", folder, String(size)));
      const published = bench.place(`public-${size}`);
      must([NODE, IPM, "registry", "build", folder, "--out", published], {
        env: bench.env({ IPM_HOME: bench.place("homes", "publisher") }),
      });
      const files = await serve(published);
      servers.push(files);
      const home = homeAt(bench, String(size), files.url);
      must(home.add, { env: home.env });
      homes.set(size, { ...home, names: readdirSync(path.join(folder, "packages")) });
    }
    await lookUps(bench, homes, sizes, quick ? 9 : 40);
    searches(bench, "static", homes.get(large), large, quick ? 16 : 80, quick ? 3 : 7);
    for (const size of sizes) rmSync(bench.place(`public-${size}`), { recursive: true, force: true });
    const folder = bench.place("generated", String(large));
    const { names } = homes.get(large);
    searches(bench, "a folder", homeWith(bench, "folder", folder, names), large, 16, quick ? 3 : 7);
    builds(bench, parts, folder, large, 2);
    await transfers(bench, parts, folder, large, names, { quick });
  } finally {
    for (const files of servers) files.stop();
  }
}
