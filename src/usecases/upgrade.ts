import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Context, PlanOptions } from "./context.ts";
import { type InstallResult, type UnchangedTool, install } from "./install.ts";
import { entriesOf, warnOfEntry } from "./entries-of.ts";
import { latestFor } from "./latest-for.ts";
import { type Upgradable, readUpgradable } from "./outdated.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { findTrackedUpdates } from "./tracked-tools.ts";

export interface UpgradeResult extends InstallResult {
  readonly upgraded: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  /** Tools with a newer version that are held, and so left alone. */
  readonly held: readonly string[];
}

/** @param known each one's entry in its registry, which may have another name now */
function chooseTools(
  entries: readonly Upgradable[],
  known: ReadonlyMap<string, ManifestSource | undefined>,
  names: readonly string[],
): Upgradable[] {
  if (names.length === 0) return [...entries];
  return [...new Set(names)].map((name) => {
    const found =
      entries.find((entry) => entry.name === name) ?? entries.find((entry) => known.get(entry.name)?.name === name);
    if (found === undefined) {
      throw new IpmError("NOT_INSTALLED", `${escapeUntrusted(name)} is not installed`, {
        hint: `ipm install ${escapeUntrusted(name)}`,
        data: { name },
      });
    }
    return found;
  });
}

/** Say that a tool stays at a version that nobody should have, because its registry offers no other. */
function warnOfWithdrawn(context: Context, { name, version }: Upgradable, entry: ManifestSource | undefined): void {
  const why = entry?.versions.find((item) => item.version === version)?.withdrawn;
  if (why === undefined) return;
  context.emit({
    type: "warning",
    code: "VERSION_WITHDRAWN",
    message: `${name} ${version} was withdrawn: ${escapeUntrusted(why)}; its registry offers no other version`,
    hint: `ipm uninstall ${name}`,
  });
}

/**
 * Upgrade the named tools, or all, to the newest versions of their registries, or to where the branch that they were
 * installed from leads now: built and tested beside, switched in one generation. The old versions work until then, and after any failure. What is held stays; naming a held tool is refused.
 * @throws IpmError NOT_INSTALLED, HELD, and those of `install`
 */
export async function upgrade(
  context: Context,
  names: readonly string[],
  options: PlanOptions,
): Promise<UpgradeResult> {
  const installed = await readUpgradable(context);
  const named = installed.filter(({ name }) => names.includes(name));
  // A name that nothing has may be the one that its registry calls an installed tool by now.
  const isNamed = named.length > 0 && named.length === new Set(names).size;
  const warn = warnOfEntry(context);
  const known = await entriesOf(context, isNamed ? named : installed, isNamed ? undefined : warn, warn);
  const tools = chooseTools(installed, known, names);
  const tracked = options.offline ? new Map<string, never>() : await findTrackedUpdates(context, tools, known);
  // What nobody has verified needs a yes: it is left alone where nobody can be asked and nobody has named it.
  const mayTrack = names.length > 0 || options.allowUnverified || context.ask !== null;
  const wanted: { tool: Upgradable; name: string; to: string; target: string }[] = [];
  const held: string[] = [];
  const current: UnchangedTool[] = [];
  for (const tool of tools) {
    const entry = known.get(tool.name);
    const update = tracked.get(tool.name);
    const to = update?.latest ?? (entry === undefined ? null : latestFor(entry, tool.version));
    const left = to === null || (update !== undefined && !mayTrack);
    if (left) {
      current.push({ name: tool.name, version: tool.version, newer: to });
      if (to === null) warnOfWithdrawn(context, tool, entry);
    } else if (tool.held && names.length > 0) {
      throw new IpmError("HELD", `${tool.name} is held at ${tool.version}, so it cannot become ${to}`, {
        hint: `ipm unhold ${tool.name}`,
        data: { name: tool.name },
      });
    } else if (tool.held) held.push(tool.name);
    // What its entry is called now: the tool goes on under that name.
    else
      wanted.push({
        tool,
        name: entry?.name ?? tool.name,
        to,
        target: update?.target ?? `${tool.registry ?? ""}:${tool.name}@${to}`,
      });
  }
  const result = await install(
    context,
    wanted.map(({ target }) => target),
    options,
    { replace: true, fresh: false },
  );
  const done = new Set(result.installed.map(({ name }) => name));
  return {
    ...result,
    unchanged: [...current, ...result.unchanged],
    upgraded: wanted
      .filter(({ name }) => done.has(name))
      .map(({ tool, name, to }) => ({ name, from: tool.version, to })),
    held,
  };
}
