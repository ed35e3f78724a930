#!/usr/bin/env node
/**
 * Builds the demo repositories of the registry: every folder registry/demos/<name>/ becomes
 * registry/sources/<name>.bundle, a git bundle with one commit and one tag per version.
 *
 *   node scripts/build-demo-bundles.mjs            write the bundles, put commit and tree into the manifests
 *   node scripts/build-demo-bundles.mjs --check    rebuild elsewhere and compare; exit 1 on a difference
 *   ... --registry DIR                             another registry folder than this repository's
 *
 * The folder itself is the newest version. registry/demos/<name>/bundle.json says the rest, and is
 * not part of any version:
 *
 *   { "identity": { "name": "...", "email": "..." },
 *     "executable": ["bin/tool.mjs"],              files with mode 755; all others are 644
 *     "versions": [                                oldest first
 *       { "version": "1.0.0", "date": "2026-11-20T09:00:00Z", "message": "...",
 *         "without": ["src/new.mjs"] },            files and folders of the newest that were not there
 *       { "version": "1.1.0", "date": "...", "message": "..." } ] }
 *
 * An older version is: the folder, minus `without`, with the files of history/<version>/ on top
 * (history/ is in no version either). To add version 1.1.0 to a demo that has only 1.0.0:
 *
 *   1. copy every file that will change to history/1.0.0/, at the same path, before changing it;
 *   2. change and add files; list the added ones under `without` of 1.0.0;
 *   3. append the entry of 1.1.0 to `versions` in bundle.json;
 *   4. add a line for 1.1.0 to the manifest, above 1.0.0, with 40 zeros for commit and tree;
 *   5. run this script. The commit and tree of 1.0.0 must come out as they were.
 *
 * Commits and trees are the same on every machine: identity, dates, messages and modes come from
 * bundle.json, file contents are taken byte by byte, and no configuration of the host's git is
 * read. The bundle's own bytes may differ with git and zlib, so they are never compared.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Left behind by tools, never part of a demo. */
const litter = new Set(["node_modules", "__pycache__", ".DS_Store", ".git"]);

function git(home, args, { input, env } = {}) {
  const out = execFileSync("git", args, {
    input,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // The environment is made from nothing: GIT_DIR of a hook or a user's configuration must not matter.
    env: {
      PATH: process.env.PATH,
      HOME: home,
      LC_ALL: "C",
      TZ: "UTC",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: devNull,
      GIT_TERMINAL_PROMPT: "0",
      GIT_DIR: join(home, "git"),
      ...env,
    },
  });
  return out.trim();
}

/** All files below a folder, as path with slashes to absolute path. */
function filesOf(folder) {
  const files = new Map();
  const walk = (at) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (litter.has(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) files.set(relative(folder, path).split(sep).join("/"), path);
      else throw new Error(`${path} is neither a file nor a folder`);
    }
  };
  walk(folder);
  return files;
}

const isBelow = (path, folder) => path === folder || path.startsWith(`${folder}/`);

/** The files of one version of a demo. */
function treeOf(demo, { version, without = [] }) {
  const all = filesOf(demo);
  const files = new Map();
  for (const [path, source] of all) {
    if (path === "bundle.json" || isBelow(path, "history")) continue;
    if (!without.some((left) => isBelow(path, left))) files.set(path, source);
  }
  for (const left of without) {
    if (![...all.keys()].some((path) => isBelow(path, left)))
      throw new Error(`${version}: without ${left}, which is not there`);
  }
  const before = `history/${version}/`;
  for (const [path, source] of all) if (path.startsWith(before)) files.set(path.slice(before.length), source);
  return files;
}

/** Builds one demo in an empty folder `home`; returns its versions with commit and tree, oldest first. */
function build(demo, home) {
  const { identity, executable, versions } = JSON.parse(readFileSync(join(demo, "bundle.json"), "utf8"));
  mkdirSync(home, { recursive: true });
  git(home, ["init", "--quiet", "--bare", "--template=", "--object-format=sha1", "-b", "main", join(home, "git")], {
    env: { GIT_DIR: undefined },
  });
  const config = ["-c", "core.autocrlf=false", "-c", `core.hooksPath=${devNull}`, "-c", "commit.gpgSign=false"];
  const built = [];
  for (const entry of versions) {
    const index = { GIT_INDEX_FILE: join(home, `index-${entry.version}`) };
    const files = treeOf(demo, entry);
    const lines = [...files].map(([path, source]) => {
      const content = readFileSync(source);
      if (content.includes(13)) throw new Error(`${source} holds a carriage return`);
      const id = git(home, [...config, "hash-object", "-w", "--stdin", "--no-filters"], { input: content });
      return `${executable.includes(path) ? "100755" : "100644"} ${id}\t${path}\n`;
    });
    for (const path of executable) {
      if (entry === versions.at(-1) && !files.has(path)) throw new Error(`executable ${path} is not there`);
    }
    git(home, [...config, "update-index", "--add", "--index-info"], { input: lines.join(""), env: index });
    const tree = git(home, [...config, "write-tree"], { env: index });
    const who = {};
    for (const role of ["AUTHOR", "COMMITTER"]) {
      who[`GIT_${role}_NAME`] = identity.name;
      who[`GIT_${role}_EMAIL`] = identity.email;
      who[`GIT_${role}_DATE`] = entry.date;
    }
    const parent = built.length ? ["-p", built.at(-1).commit] : [];
    const commit = git(home, [...config, "commit-tree", tree, ...parent], { input: `${entry.message}\n`, env: who });
    git(home, [...config, "update-ref", `refs/tags/v${entry.version}`, commit]);
    git(home, [...config, "update-ref", "refs/heads/main", commit]);
    built.push({ version: entry.version, ref: `refs/tags/v${entry.version}`, commit, tree, files: files.size });
  }
  return built;
}

function writeBundle(home, file) {
  // HEAD is listed so that a clone has a branch; one thread so that the same git packs the same bytes.
  git(home, ["-c", "pack.threads=1", "bundle", "create", "--quiet", file, "HEAD", "main", "--tags"]);
}

/** What a bundle holds: ref to commit and tree. */
function readBundle(file, home) {
  mkdirSync(home, { recursive: true });
  git(home, ["init", "--quiet", "--bare", "--template=", "-b", "main", join(home, "git")], {
    env: { GIT_DIR: undefined },
  });
  git(home, ["fetch", "--quiet", file, "refs/*:refs/*"]);
  const refs = git(home, ["for-each-ref", "--format=%(refname) %(objectname) %(tree)"]);
  return new Map(refs.split("\n").map((line) => [line.split(" ")[0], line]));
}

/** The manifest's line of a version, as this script writes and reads it. */
const lineOf = (version) =>
  new RegExp(
    `^( *- \\{ version: "?${version.replaceAll(".", "\\.")}"?, ref: )(\\S+)(, commit: )([0-9a-f]{40})(, tree: )([0-9a-f]{40})`,
    "m",
  );

function main(args) {
  const unknown = args.filter((arg, k) => !["--check", "--registry"].includes(arg) && args[k - 1] !== "--registry");
  if (unknown.length || args.at(-1) === "--registry") {
    console.error("usage: build-demo-bundles.mjs [--check] [--registry DIR]");
    return 2;
  }
  const check = args.includes("--check");
  const given = args.indexOf("--registry");
  const registry = resolve(given >= 0 ? args[given + 1] : fileURLToPath(new URL("../registry", import.meta.url)));
  const home = mkdtempSync(join(tmpdir(), "demo-bundles-"));
  let differences = 0;
  const differ = (text) => {
    differences++;
    console.error(`DIFFERENT ${text}`);
  };
  try {
    const demos = readdirSync(join(registry, "demos")).filter((name) =>
      existsSync(join(registry, "demos", name, "bundle.json")),
    );
    for (const name of demos) {
      const built = build(join(registry, "demos", name), join(home, name));
      const bundle = join(registry, "sources", `${name}.bundle`);
      const manifestFile = join(registry, "packages", name, "manifest.yaml");
      const manifest = existsSync(manifestFile) ? readFileSync(manifestFile, "utf8") : "";
      let updated = manifest;
      for (const { version, ref, commit, tree, files } of built) {
        console.log(`${name} ${version}  commit ${commit}  tree ${tree}  ${files} files`);
        const line = lineOf(version).exec(manifest);
        if (!line)
          differ(
            `${name} ${version}: no line in the manifest; add\n  - { version: ${version}, ref: ${ref}, commit: ${commit}, tree: ${tree} }`,
          );
        else if (check) {
          if (line[2] !== ref) differ(`${name} ${version}: the manifest has ref ${line[2]}, built ${ref}`);
          if (line[4] !== commit) differ(`${name} ${version}: the manifest has commit ${line[4]}, built ${commit}`);
          if (line[6] !== tree) differ(`${name} ${version}: the manifest has tree ${line[6]}, built ${tree}`);
        } else
          updated = updated.replace(
            lineOf(version),
            (_, a, _ref, b, _commit, c) => `${a}${ref}${b}${commit}${c}${tree}`,
          );
      }
      if (!check) {
        mkdirSync(join(registry, "sources"), { recursive: true });
        writeBundle(join(home, name), bundle);
        if (updated !== manifest) writeFileSync(manifestFile, updated);
        continue;
      }
      if (!existsSync(bundle)) {
        differ(`${name}: there is no bundle`);
        continue;
      }
      const held = readBundle(bundle, join(home, `${name}-held`));
      for (const { ref, commit, tree } of [...built, { ...built.at(-1), ref: "refs/heads/main" }]) {
        const line = `${ref} ${commit} ${tree}`;
        if (held.get(ref) !== line) differ(`${name}: the bundle has "${held.get(ref)}", built "${line}"`);
        held.delete(ref);
      }
      for (const line of held.values()) differ(`${name}: the bundle has "${line}" as well`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return differences ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
