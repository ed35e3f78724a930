"use strict";
// Writes beside each file of dist/ what V8 makes of it, so that it need not be compiled again (bin/ipm.cjs takes it where
// the same V8 runs). A cache holds the functions that were called so far, so commands are run before they are written.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { createLoader } = require("../bin/ipm.cjs");

/** A folder that holds dist/; homes for the commands are made beside it. */
const root = path.resolve(process.argv[2]);
const dist = path.join(root, "dist");
/** Where a made up tool looks installed, and where one is installed. */
const shown = path.join(root, "shown");
const used = path.join(root, "used");
const fetched = path.join(root, "fetched");

const { load, scripts, id } = createLoader(dist);
const { main } = load("ipm.cjs")("src/cli/main.ts");

const pipe = { isTerminal: false, columns: () => undefined, write: () => undefined, stream: () => process.stdout };
const streams = { stdin: { isTerminal: false, stream: () => process.stdin }, stdout: pipe, stderr: pipe };

async function run(home, ...words) {
  const env = { IPM_HOME: home, HOME: home, PATH: process.env.PATH, NO_COLOR: "1" };
  const exitCode = await main(words, streams, env, { version: "0.0.0", root, platform: process.platform });
  if (exitCode === 70) throw new Error(`ipm ${words.join(" ")}: a bug of this build`);
}

const written = new Set();
/** Write the caches of the files that were loaded since the last call, or of some of them. */
function writeCaches(names = [...scripts.keys()]) {
  for (const [name, script] of scripts) {
    if (written.has(name) || !names.includes(name)) continue;
    written.add(name);
    const cache = Buffer.concat([Buffer.from(id(), "latin1"), script.createCachedData()]);
    fs.writeFileSync(path.join(dist, `${name}.cache`), cache);
  }
}

/** One tool that looks installed, so that `list` has something to show. */
function writeGeneration(name) {
  const profile = path.join(shown, "data/profiles/1");
  const entry = {
    name,
    version: "1.0.0",
    entry: `${name}/1.0.0-0123456789ab`,
    method: "copy",
    trust: "verified",
    bins: [name],
    held: false,
    registry: "main",
    target: `main:${name}@1.0.0`,
    installed: "2026-01-01T00:00:00.000Z",
  };
  const generation = { schema: 1, number: 1, created: entry.installed, command: "", previous: null, restores: null };
  const store = path.join(shown, "data/store", entry.entry);
  fs.mkdirSync(path.join(profile, "bin"), { recursive: true });
  fs.mkdirSync(store, { recursive: true });
  fs.writeFileSync(path.join(store, "receipt.json"), "{}");
  fs.writeFileSync(path.join(profile, "generation.json"), JSON.stringify({ ...generation, entries: [entry] }));
  fs.symlinkSync("profiles/1", path.join(shown, "data/current"));
}

/** A home with a static registry that looks fetched: its index is that of a folder in another home. */
function writeFetched(registry) {
  const url = "https://registry.example.org";
  const cache = path.join(fetched, "cache/registries", registry);
  fs.mkdirSync(path.join(fetched, "config"), { recursive: true });
  const config = { registries: [{ id: registry, static: url }] };
  fs.writeFileSync(path.join(fetched, "config/config.yaml"), JSON.stringify(config));
  fs.cpSync(path.join(used, "cache/registries", registry), cache, { recursive: true });
  const { layers } = JSON.parse(fs.readFileSync(path.join(cache, "index.json"), "utf8"));
  const state = { url, name: "", sequence: 1e6, root: "", entries: 1, layers, etags: {}, fetched: "" };
  fs.writeFileSync(path.join(cache, "published.json"), JSON.stringify(state));
}

/** A tool to install: a folder with a manifest of its own. */
function writeTool() {
  const folder = path.join(root, "tool");
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "hello"), "#!/bin/sh\necho hello\n", { mode: 0o755 });
  const manifest = {
    schema: "ipm/v1",
    name: "hello",
    summary: "Says hello",
    license: "MIT",
    steps: [{ run: "true" }, { uses: "copy" }],
    bin: { hello: "hello" },
    tests: [{ run: "hello", expect: { stdout: "^hello$" } }],
  };
  fs.writeFileSync(path.join(folder, "ipm.yaml"), JSON.stringify(manifest));
  return folder;
}

/** As typed, a beginning, the inside of a name, typos, several words. */
async function runSearches() {
  for (const words of ["demo", "lst", "stm", "lstn-demo", "lstx-demp", "a demo"])
    await run(shown, "search", ...words.split(" "));
}

/**
 * A cache is loaded as a whole. Every command loads `ipm.cjs`, so its cache holds what `list` runs when it remembers what was
 * withdrawn, and no more; that of `frequent.cjs` likewise.
 */
async function warmUpFrequent() {
  await run(shown, "list");
  writeCaches(["ipm.cjs"]);
  const [tool] = fs.readdirSync(path.join(shown, "data/store"));
  await run(shown, "show", tool);
  await run(shown, "install", tool);
  await runSearches();
  writeCaches(["frequent.cjs"]);
}

async function warmUp() {
  const [tool] = fs.readdirSync(path.join(__dirname, "../registry/packages"));
  writeGeneration(tool);
  await run(shown, "list");
  // In a process of its own: in this one the functions of the first `list` are compiled already.
  const { status } = spawnSync(process.execPath, [__filename, root, "frequent"], { stdio: "inherit" });
  if (status !== 0) throw new Error("the caches of what is frequent could not be written");
  for (const name of ["ipm.cjs", "frequent.cjs"]) written.add(name);
  await runSearches();
  await run(shown, "list", "--reporter", "tty");
  await run(shown, "--help");
  await run(shown, "no-such-command");
  writeCaches();
  const folder = writeTool();
  await run(used, "registry", "add", path.join(__dirname, "../registry"));
  await run(used, "show", tool);
  await run(used, "search", tool);
  const [registry] = fs.readdirSync(path.join(used, "cache/registries"));
  writeFetched(registry);
  await run(fetched, "search", tool);
  await run(used, "install", folder, "--allow-unverified", "--no-sandbox");
  await run(used, "install", folder, "--allow-unverified");
  await run(used, "uninstall", "hello");
  await run(used, "rollback");
  // Not used above where this process was started with descriptors of a high number (src/host/processes.ts).
  await load("parts/execa.cjs").execa(process.execPath, ["--version"], {
    buffer: false,
    reject: false,
    detached: true,
  });
  writeCaches();
}

void (process.argv[3] === "frequent" ? warmUpFrequent() : warmUp());
