import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { type Generation, type GenerationEntry, currentTarget } from "./generations.ts";
import { type Layout, entryPaths, parseEntryId, profilePaths } from "./layout.ts";
import { type LauncherSpec, renderLauncher } from "./launchers.ts";
import { type Receipt, type SealedLauncher, demandReceipt } from "./receipts.ts";

/** The launchers of one entry with absolute paths. */
export function launcherSpecs(prefix: string, receipt: Receipt): LauncherSpec[] {
  const tool = `${receipt.plan.tool.name}@${receipt.plan.tool.version}`;
  return receipt.launchers.map((launcher: SealedLauncher) => ({
    name: launcher.name,
    tool,
    file: launcher.file === null ? null : path.join(prefix, launcher.file),
    run: launcher.run,
    interpreter: launcher.interpreter,
    env: launcher.env,
  }));
}

/**
 * Two tools that provide the same command, as an error that names both; undefined when there are none.
 * Decided in the plan before any work, and once more under the lock of the switch.
 */
export function findLauncherConflict(entries: readonly Pick<GenerationEntry, "name" | "bins">[]): IpmError | undefined {
  const owner = new Map<string, string>();
  for (const { name, bins } of entries) {
    for (const bin of bins) {
      const other = owner.get(bin);
      if (other !== undefined && other !== name) {
        return new IpmError("LAUNCHER_CONFLICT", `${name} and ${other} both provide the command ${bin}`, {
          hint: `ipm uninstall ${other}`,
          data: { command: bin, tools: [other, name] },
        });
      }
      owner.set(bin, name);
    }
  }
  return undefined;
}

async function writeLaunchers(
  host: Host,
  layout: Layout,
  root: ReturnType<typeof profilePaths>,
  entry: GenerationEntry,
): Promise<void> {
  const id = parseEntryId(entry.entry);
  if (id === undefined)
    throw new IpmError("STATE_DAMAGED", `not a store entry: ${entry.entry}`, { hint: "ipm doctor --fix" });
  const receipt = await demandReceipt(host, layout, id);
  const prefix = entryPaths(layout, id).prefix;
  for (const spec of launcherSpecs(prefix, receipt)) {
    const rendered = renderLauncher(spec, root.libexec);
    const file = path.join(root.bin, spec.name);
    if (rendered.kind === "link") await host.files.link(rendered.target, file);
    else {
      await host.files.write(file, rendered.text, 0o755);
      if (rendered.libexecTarget !== null)
        await host.files.link(rendered.libexecTarget, path.join(root.libexec, spec.name));
    }
  }
  for (const [to, from] of Object.entries(receipt.share)) {
    const file = path.join(root.share, to);
    await host.files.createFolder(path.dirname(file));
    // Two tools may ship a file of one name (`man1/intro.1`): the first by name keeps it, commands are what must not clash.
    if ((await host.files.facts(file)) === undefined) await host.files.link(path.join(prefix, from), file);
  }
}

/**
 * Build the profile of a generation beside the others. It counts only once its `generation.json`, written last and
 * durably, is there; `current` is not touched.
 */
export async function buildProfile(host: Host, layout: Layout, generation: Generation): Promise<void> {
  const root = profilePaths(layout, generation.number);
  for (const folder of [root.bin, root.share, root.libexec]) await host.files.createFolder(folder);
  for (const entry of generation.entries) await writeLaunchers(host, layout, root, entry);
  host.checkpoint("profile.linked");
  await host.files.flushTree(root.root);
  await host.files.writeDurably(root.generation, `${JSON.stringify(generation, null, 2)}\n`, 0o444);
  await host.files.flushFolder(layout.profiles);
  host.checkpoint("profile.complete");
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
