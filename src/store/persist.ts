import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Files, Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { isInside } from "../sandbox/paths.ts";
import type { EntryPaths, Layout } from "./layout.ts";
import type { SealedLauncher } from "./receipts.ts";
import { removeOwn } from "./remove-own.ts";

/*
 * What a manifest calls `persist` is the user's. The prefix holds a link where it was built; the link leads through the
 * entry's `state` to `data/state/<name>`, so that an entry stays as it was sealed and two versions share one set of data.
 * What the steps made is kept in the entry's `seed`: the first content of data that is not there yet, and what tests see.
 */

/** Where first content is copied to before it is renamed into its place. */
const STAGED = /^\.[0-9a-f]{12}\.tmp$/u;

function invalid(message: string, shown: string): IpmError {
  return new IpmError("OUTPUT_INVALID", `${message}: ${escapeUntrusted(shown)}`, {
    hint: "tell the manifest's maintainers",
    data: { path: shown },
  });
}

/** A link of persisted data that leads out of it would lead somewhere else from its new place. */
async function checkSeed(files: Files, root: string, item: string, shown: string): Promise<void> {
  const facts = await files.facts(item);
  if (facts?.kind === "link") {
    const target = (await files.readLink(item)) ?? "";
    if (path.isAbsolute(target) || !isInside(root, path.resolve(path.dirname(item), target)))
      throw invalid("a link in what the manifest persists leads out of it", shown);
  }
  if (facts?.kind !== "folder") return;
  for (const name of await files.list(item)) await checkSeed(files, root, path.join(item, name), `${shown}/${name}`);
}

/**
 * Move what is the user's out of a finished prefix, and put links in its place. For a prefix whose launchers have been
 * resolved and that is not sealed yet.
 * @throws IpmError OUTPUT_INVALID when the steps did not make it, when it is or holds a link that leads elsewhere, and when
 *   a launcher starts it: programs are not the user's to change
 */
export async function setAsidePersisted(
  { files }: Pick<Host, "files">,
  paths: EntryPaths,
  persist: readonly string[],
  launchers: readonly SealedLauncher[],
): Promise<void> {
  const root = (await files.realPath(paths.prefix)) ?? paths.prefix;
  for (const place of persist) {
    const item = path.join(root, place);
    if ((await files.facts(item)) === undefined)
      throw invalid("the steps did not make what the manifest persists", place);
    if ((await files.realPath(item).catch(() => undefined)) !== item)
      throw invalid("what the manifest persists is, or is behind, a link", place);
    await checkSeed(files, item, item, place);
    const started = launchers.find(({ file, run }) => {
      const program = file === null ? (run?.[0] ?? "") : path.join(paths.prefix, file);
      return isInside(path.join(paths.prefix, place), program);
    });
    if (started !== undefined) throw invalid(`the command ${started.name} is in what the manifest persists`, place);
    const seed = path.join(paths.seed, place);
    await files.createFolder(path.dirname(seed));
    await files.rename(item, seed);
    await files.link(path.join("../".repeat(place.split("/").length), path.basename(paths.state), place), item);
  }
}

/** Copy a file, link or tree to where nothing is yet, for its user to write. */
async function copyForUser(files: Files, from: string, to: string): Promise<void> {
  const facts = await files.facts(from);
  if (facts === undefined) return;
  if (facts.kind === "link") {
    await files.link((await files.readLink(from)) ?? "", to);
    return;
  }
  if (facts.kind === "folder") {
    await files.createFolder(to);
    for (const name of await files.list(from)) await copyForUser(files, path.join(from, name), path.join(to, name));
  } else await files.copyFile(from, to);
  await files.setMode(to, facts.mode | 0o200);
}

/** New data for one test, in the place where the finished entry has a link: what the steps made, and nobody's data. */
export async function renewTestState({ files }: Pick<Host, "files">, paths: EntryPaths): Promise<void> {
  await files.remove(paths.state);
  await copyForUser(files, paths.seed, paths.state);
}

/** Let a tested entry use the user's data from now on. */
export async function linkState(
  { files }: Pick<Host, "files">,
  layout: Layout,
  paths: EntryPaths,
  name: string,
): Promise<void> {
  await files.remove(paths.state);
  await files.link(path.join(layout.state, name), paths.state);
}

/**
 * The folder that holds a piece of data, made where it is not there. What lies in `data/state` is written by the tool: no
 * link in it is followed.
 */
async function createParent(files: Files, root: string, folder: string): Promise<void> {
  const kind = (await files.facts(folder))?.kind;
  if (kind === "folder") return;
  if (kind !== undefined) {
    throw new IpmError("STATE_DAMAGED", `${folder} is a ${kind} and should be a folder with the tool's data`, {
      hint: `look at ${folder} and move it away`,
      data: { path: folder },
    });
  }
  if (folder !== root) await createParent(files, root, path.dirname(folder));
  await files.createFolder(folder);
}

/** What a piece of data begins as: what the user had under the tool's former name, else what the steps made. */
async function firstContent(
  { files }: Pick<Host, "files">,
  layout: Layout,
  paths: EntryPaths,
  place: string,
  former: string | null,
): Promise<string> {
  const seed = path.join(paths.seed, place);
  if (former === null) return seed;
  const root = path.join(layout.state, former);
  const had = path.join(root, place);
  // Written by the tool: a link on the way would lead to what is not its data.
  const real = await files.realPath(had).catch(() => undefined);
  return real !== undefined && real === path.join((await files.realPath(root)) ?? root, place) ? had : seed;
}

/**
 * Give a tool's data its first content, where it is not there yet; what is there is the user's and stays. The caller holds
 * the lock of the tool's entries.
 * @param former the name that the tool had: its data is the first content of what has none under the new one, and stays
 *   as it is for older generations
 * @returns takes back what was made, for an installation that does not come about
 * @throws IpmError STATE_DAMAGED, DISK_FULL, IO_FAILED
 */
export async function seedState(
  host: Host,
  layout: Layout,
  name: string,
  paths: EntryPaths,
  persist: readonly string[],
  former: string | null = null,
): Promise<() => Promise<void>> {
  const { files } = host;
  const root = path.join(layout.state, name);
  if (persist.length === 0) return async () => {};
  const isFirst = (await files.facts(root)) === undefined;
  const made: string[] = [];
  const takeBack = async (): Promise<void> => {
    for (const item of isFirst ? [root] : made) await removeOwn(host, layout, item);
  };
  try {
    await files.createFolder(layout.state);
    // Of a copy that was killed.
    for (const left of await files.list(root))
      if (STAGED.test(left)) await removeOwn(host, layout, path.join(root, left));
    for (const place of persist) {
      const item = path.join(root, place);
      await createParent(files, root, path.dirname(item));
      if ((await files.facts(item)) !== undefined) continue;
      // Beside, then renamed: data is there whole, or not at all.
      const staged = path.join(root, `.${randomBytes(6).toString("hex")}.tmp`);
      try {
        await files.createFolder(staged);
        await copyForUser(files, await firstContent(host, layout, paths, place, former), path.join(staged, "data"));
        await files.flushTree(staged);
        await files.rename(path.join(staged, "data"), item);
        await files.flushFolder(path.dirname(item));
      } finally {
        await removeOwn(host, layout, staged);
      }
      made.push(item);
      host.checkpoint("state.seeded");
    }
  } catch (error) {
    await takeBack();
    throw error;
  }
  return takeBack;
}
