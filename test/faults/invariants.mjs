// Checks what must hold of ipm's data folder whatever happened to it. Reads the disk by itself and shares no code with
// src/, so that a mistake there cannot hide here. Usage: node invariants.mjs '<JSON>', see `Question` below.
// Prints a JSON list of violations.
//
// @typedef {{
//   data: string,                                  the data home
//   states: Record<string, string>[],              allowed sets of tools: name to version; [] of keys: nothing installed
//   settled: boolean,                              after a repair: no leftovers either
// }} Question
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const { data, states, settled } = JSON.parse(process.argv[2]);
const violations = [];
const violate = (invariant, text) => violations.push(`${invariant}: ${text}`);

const sorted = (list) => [...list].map(String).sort((a, b) => (a < b ? -1 : 1));
const names = (folder) => {
  try {
    return sorted(fs.readdirSync(folder));
  } catch {
    return [];
  }
};
const json = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Files and links below a folder: relative path to what files.json should say. */
function describe(folder, prefix = "", found = {}) {
  for (const name of names(folder)) {
    const file = path.join(folder, name);
    const stats = fs.lstatSync(file);
    if (stats.isDirectory()) {
      if (stats.mode & 0o222) violate("I3", `${file} can be written`);
      describe(file, `${prefix}${name}/`, found);
    } else if (stats.isSymbolicLink()) found[prefix + name] = `link ${fs.readlinkSync(file)}`;
    else found[prefix + name] = `file ${sha256(fs.readFileSync(file))} ${(stats.mode & 0o777).toString(8)}`;
  }
  return found;
}

/** I3: a receipt, and everything that it vouches for. */
function checkEntry(id) {
  const root = path.join(data, "store", id);
  let receipt;
  try {
    receipt = json(path.join(root, "receipt.json"));
  } catch (error) {
    violate("I3", `${id}: no readable receipt (${error.message})`);
    return undefined;
  }
  const text = fs.readFileSync(path.join(root, "files.json"));
  if (sha256(text) !== receipt.filesDigest) violate("I3", `${id}: files.json is not what the receipt says`);
  const said = Object.fromEntries(
    Object.entries(JSON.parse(text)).map(([file, is]) => [
      file,
      is.kind === "link" ? `link ${is.target}` : `file ${is.sha256} ${is.mode.toString(8)}`,
    ]),
  );
  const found = describe(path.join(root, "prefix"));
  for (const file of new Set([...Object.keys(said), ...Object.keys(found)])) {
    if (said[file] !== found[file]) violate("I3", `${id}: ${file} is ${found[file]}, not ${said[file]}`);
  }
  return receipt;
}

const sameSet = (left, right) => JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));

/** I1 and I2: what `current` leads to. @returns its number */
function checkCurrent() {
  const link = path.join(data, "current");
  let target;
  try {
    target = fs.readlinkSync(link);
  } catch {
    // Before the first switch, also when everything for it is ready.
    if (!states.some((state) => Object.keys(state).length === 0)) violate("I1", "there is no current generation");
    return undefined;
  }
  const number = /^profiles\/([1-9][0-9]*)$/.exec(target)?.[1];
  if (number === undefined) {
    violate("I1", `current leads to ${target}`);
    return undefined;
  }
  const profile = path.join(data, target);
  let generation;
  try {
    generation = json(path.join(profile, "generation.json"));
  } catch (error) {
    violate("I1", `generation ${number} is not complete: ${error.message}`);
    return number;
  }
  const tools = Object.fromEntries(generation.entries.map(({ name, version }) => [name, version]));
  const asText = (state) => sorted(Object.entries(state).map((tool) => tool.join(" "))).join(", ");
  if (!states.some((state) => asText(state) === asText(tools)))
    violate("I1", `generation ${number} holds ${asText(tools)}, which is neither the old nor the new set`);
  const bins = generation.entries.flatMap((entry) => entry.bins);
  if (!sameSet(bins, names(path.join(profile, "bin"))))
    violate("I2", `launchers are ${names(path.join(profile, "bin")).join(" ")}, not ${bins.join(" ")}`);
  for (const { name, version, bins: own } of generation.entries) {
    for (const bin of own) {
      const run = spawnSync(path.join(link, "bin", bin), [], { encoding: "utf8", env: {}, timeout: 10_000 });
      if (run.status !== 0 || !run.stdout.startsWith(`${name} ${version}`))
        violate("I2", `${bin} printed ${JSON.stringify(run.stdout + run.stderr)} (${run.status ?? run.signal})`);
    }
  }
  for (const { entry } of generation.entries) checkEntry(entry);
  return number;
}

/** I6: nothing half done. */
function checkSettled(current) {
  for (const name of names(data)) if (name.includes(".tmp")) violate("I6", `left over: ${name}`);
  for (const tool of names(path.join(data, "store"))) {
    const entries = names(path.join(data, "store", tool));
    if (entries.length === 0) violate("I6", `empty folder store/${tool}`);
    for (const entry of entries) {
      const inside = names(path.join(data, "store", tool, entry));
      if (!sameSet(inside, ["files.json", "launchers", "prefix", "receipt.json"]))
        violate("I6", `store/${tool}/${entry} holds ${inside.join(" ")}`);
      else checkEntry(`${tool}/${entry}`);
    }
  }
  for (const number of names(path.join(data, "profiles"))) {
    const inside = names(path.join(data, "profiles", number));
    if (!sameSet(inside, ["bin", "generation.json", "libexec", "share"]))
      violate("I6", `profiles/${number} holds ${inside.join(" ")}`);
  }
  if (current === undefined && names(path.join(data, "profiles")).length > 0)
    violate("I6", "there are generations and none is current");
}

try {
  const current = checkCurrent();
  if (settled) checkSettled(current);
} catch (error) {
  violate("I0", `the check itself failed: ${error.stack}`);
}
process.stdout.write(JSON.stringify(violations));
