"use strict";
// Writes beside each file of dist/ what V8 makes of it, so that it need not be compiled again (bin/ipm.cjs takes it where
// the same V8 runs). A cache holds the functions that were called so far, so commands are run before they are written.
const fs = require("node:fs");
const path = require("node:path");
const { createLoader } = require("../bin/ipm.cjs");

/** A folder that holds dist/; homes for the commands are made beside it. */
const root = path.resolve(process.argv[2]);
const dist = path.join(root, "dist");
const home = path.join(root, "home");

const { load, scripts } = createLoader(dist);
const { main } = load("ipm.cjs")["src/cli/main.ts"];

const env = { IPM_HOME: home, HOME: home, PATH: process.env.PATH, NO_COLOR: "1" };
const pipe = { isTerminal: false, columns: () => undefined, write: () => undefined, stream: () => process.stdout };
const streams = { stdin: { isTerminal: false, stream: () => process.stdin }, stdout: pipe, stderr: pipe };

async function run(...words) {
  await main(words, streams, env, { version: "0.0.0", root, platform: process.platform });
}

const written = new Set();
/** Write the caches of the files that were loaded since the last call. */
function writeCaches() {
  for (const [name, script] of scripts) {
    if (written.has(name)) continue;
    written.add(name);
    const file = path.join(dist, name);
    const id = fs.readFileSync(file, "latin1").slice(2, 18);
    fs.writeFileSync(`${file}.cache`, Buffer.concat([Buffer.from(id, "latin1"), script.createCachedData()]));
  }
}

/** One tool that looks installed, so that `list` has something to show. */
function writeGeneration(name) {
  const profile = path.join(home, "data/profiles/1");
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
  fs.mkdirSync(path.join(profile, "bin"), { recursive: true });
  fs.writeFileSync(path.join(profile, "generation.json"), JSON.stringify({ ...generation, entries: [entry] }));
  fs.symlinkSync("profiles/1", path.join(home, "data/current"));
}

async function warmUp() {
  const [tool] = fs.readdirSync(path.join(__dirname, "../registry/packages"));
  writeGeneration(tool);
  await run("--version");
  await run("list");
  writeCaches();
  await run("show", tool);
  await run("--help");
  await run("no-such-command");
  writeCaches();
}

void warmUp();
