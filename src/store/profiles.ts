import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { givenInputs, secretInputs } from "../plan/given-inputs.ts";
import { type Generation, type GenerationEntry, currentTarget } from "./generations.ts";
import { inputsFile } from "./inputs.ts";
import { type EntryId, type Layout, type ProfilePaths, entryPaths, parseEntryId, profilePaths } from "./layout.ts";
import { type LauncherSpec, renderLauncher, shellQuote } from "./launchers.ts";
import { type Receipt, type SealedLauncher, demandReceipt, readReceipt } from "./receipts.ts";

/** The launchers of one entry with absolute paths. */
export function launcherSpecs(
  layout: Layout,
  prefix: string,
  receipt: Pick<Receipt, "plan" | "launchers">,
): LauncherSpec[] {
  const { what } = receipt.plan;
  const tool = `${receipt.plan.tool.name}@${receipt.plan.tool.version}`;
  return receipt.launchers.map((launcher: SealedLauncher) => ({
    name: launcher.name,
    tool,
    file: launcher.file === null ? null : path.join(prefix, launcher.file),
    run: launcher.run,
    interpreter: launcher.interpreter,
    env: launcher.env,
    inputs: givenInputs(what, "run"),
    secrets: secretInputs(what).length === 0 ? null : inputsFile(layout, receipt.plan.tool.name),
  }));
}

/**
 * Two tools that provide the same command, as an error that names both; undefined when there are none.
 * Decided in the plan before any work, and once more under the lock of the switch.
 * @param installed names of tools that are there; the others are asked for together
 */
export function findLauncherConflict(
  entries: readonly Pick<GenerationEntry, "name" | "bins">[],
  installed: ReadonlySet<string> | null = null,
): IpmError | undefined {
  const owner = new Map<string, string>();
  for (const { name, bins } of entries) {
    for (const bin of bins) {
      const other = owner.get(bin);
      if (other !== undefined && other !== name) {
        return new IpmError("LAUNCHER_CONFLICT", `${name} and ${other} both provide the command ${bin}`, {
          hint: installed?.has(other) === false ? `ipm install ${other}, or ${name}` : `ipm uninstall ${other}`,
          data: { command: bin, tools: [other, name] },
        });
      }
      owner.set(bin, name);
    }
  }
  return undefined;
}

/** Write launchers into `bin`, and into `libexec` what scripts start. Both folders exist. */
export async function writeLaunchers(
  host: Host,
  specs: readonly LauncherSpec[],
  { bin, libexec }: Pick<ProfilePaths, "bin" | "libexec">,
): Promise<void> {
  for (const spec of specs) {
    const rendered = renderLauncher(spec, libexec);
    const file = path.join(bin, spec.name);
    if (rendered.kind === "link") await host.files.link(rendered.target, file);
    else {
      await host.files.write(file, rendered.text, 0o755);
      if (rendered.libexecTarget !== null) await host.files.link(rendered.libexecTarget, path.join(libexec, spec.name));
    }
  }
}

/** Links below `from` that lead into a prefix, made again below `to`. */
async function copyLinks(host: Host, prefix: string, from: string, to: string): Promise<void> {
  for (const name of await host.files.list(from)) {
    const [source, place] = [path.join(from, name), path.join(to, name)];
    if ((await host.files.facts(source))?.kind === "folder") await copyLinks(host, prefix, source, place);
    const target = await host.files.readLink(source);
    if (target === undefined || !path.normalize(target).startsWith(`${prefix}/`)) continue;
    await host.files.createFolder(to);
    if ((await host.files.facts(place)) === undefined) await host.files.link(target, place);
  }
}

/**
 * Take what an entry whose receipt is damaged has in the profile before: it works as it did, and another tool's change
 * must not take it away. @returns false when that profile does not have all of its commands
 */
async function carryOver(
  host: Host,
  old: ProfilePaths,
  root: ProfilePaths,
  entry: GenerationEntry,
  prefix: string,
): Promise<boolean> {
  for (const name of entry.bins) {
    const file = path.join(old.bin, name);
    const target = await host.files.readLink(file);
    if (target !== undefined) {
      if (!path.normalize(target).startsWith(`${prefix}/`)) return false;
      await host.files.link(target, path.join(root.bin, name));
      continue;
    }
    const text = await host.files.readText(file);
    if (text === undefined) return false;
    const [before, now] = [old, root].map(({ libexec }) => shellQuote(path.join(libexec, name)));
    await host.files.write(path.join(root.bin, name), text.replaceAll(before ?? "", now ?? ""), 0o755);
    const program = await host.files.readLink(path.join(old.libexec, name));
    if (program !== undefined) await host.files.link(program, path.join(root.libexec, name));
  }
  await copyLinks(host, prefix, old.share, root.share);
  return true;
}

/** @returns false when the entry was carried over because its receipt cannot be read */
async function addEntry(
  host: Host,
  layout: Layout,
  root: ProfilePaths,
  entry: GenerationEntry,
  previous: number | null,
): Promise<boolean> {
  const id: EntryId | undefined = parseEntryId(entry.entry);
  if (id === undefined)
    throw new IpmError("STATE_DAMAGED", `not a store entry: ${entry.entry}`, { hint: "ipm doctor --fix" });
  const prefix = entryPaths(layout, id).prefix;
  if (previous !== null && (await readReceipt(host, layout, id)).state === "damaged") {
    if (await carryOver(host, profilePaths(layout, previous), root, entry, prefix)) return false;
  }
  const receipt = await demandReceipt(host, layout, id);
  await writeLaunchers(host, launcherSpecs(layout, prefix, receipt), root);
  for (const [to, from] of Object.entries(receipt.share)) {
    const file = path.join(root.share, to);
    await host.files.createFolder(path.dirname(file));
    // Two tools may ship a file of one name (`man1/intro.1`): the first by name keeps it, commands are what must not clash.
    if ((await host.files.facts(file)) === undefined) await host.files.link(path.join(prefix, from), file);
  }
  return true;
}

/**
 * Build the profile of a generation beside the others. It counts only once its `generation.json`, written last and
 * durably, is there; `current` is not touched.
 * @returns names of tools whose receipt cannot be read and whose launchers are those of the generation before
 * @throws IpmError STATE_DAMAGED, STATE_NEWER, DISK_FULL, IO_FAILED
 */
export async function buildProfile(host: Host, layout: Layout, generation: Generation): Promise<string[]> {
  const root = profilePaths(layout, generation.number);
  const carried: string[] = [];
  for (const folder of [root.bin, root.share, root.libexec]) await host.files.createFolder(folder);
  for (const entry of generation.entries) {
    if (!(await addEntry(host, layout, root, entry, generation.previous))) carried.push(entry.name);
  }
  host.checkpoint("profile.linked");
  await host.files.flushTree(root.root);
  await host.files.writeDurably(root.generation, `${JSON.stringify(generation, null, 2)}\n`, 0o444);
  await host.files.flushFolder(layout.profiles);
  host.checkpoint("profile.complete");
  return carried;
}

/**
 * Point `current` to a complete generation: one rename, so that PATH holds the old set or the new set, whole.
 * The staged link lies beside `current`, because rename is atomic only within one file system.
 */
export async function switchCurrent(host: Host, layout: Layout, number: number): Promise<void> {
  const staged = `${layout.current}.${randomBytes(6).toString("hex")}.tmp`;
  await host.files.link(currentTarget(number), staged);
  host.checkpoint("switch.staged");
  try {
    await host.files.rename(staged, layout.current);
  } catch (error) {
    await host.files.remove(staged);
    throw error;
  }
  await host.files.flushFolder(layout.data);
  host.checkpoint("switch.done");
}
