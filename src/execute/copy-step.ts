import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { PlannedCopy } from "../plan/plan.ts";
import { isInside } from "../sandbox/paths.ts";

/** A link of the checkout, made once everything else is there. */
interface PendingLink {
  readonly at: string;
  readonly target: string;
}

function refuse(step: PlannedCopy, message: string, target: string): never {
  throw new IpmError(
    "STEP_FAILED",
    `step ${step.id} (${escapeUntrusted(step.title)}): ${message}: ${escapeUntrusted(target)}`,
    {
      hint: "tell the manifest's maintainers",
      data: { step: step.id, path: target, exitCode: null, signal: null, lastLines: [] },
    },
  );
}

/** `path.join` that cannot leave the folder. */
function below(step: PlannedCopy, folder: string, relative: string): string {
  const joined = path.resolve(folder, relative);
  if (!isInside(folder, joined)) refuse(step, "a path leaves its folder", relative);
  return joined;
}

/**
 * Carry out a `copy` step: files of the checkout into the prefix, without running anything of the package. `.git` and the
 * excluded top-level names are left out, modes become 0644 or 0755, links are kept as links when they stay in the prefix
 * and are refused otherwise. Nothing is read or written through a link.
 * @param source real path of the checkout (its sub-directory where the manifest names one)
 * @param prefix real path of the prefix
 * @param isSpent nothing needs the checkout afterwards: its files are moved, which costs a third
 * @returns the number of files and links
 * @throws IpmError STEP_FAILED for a missing source, a link that leaves, a device, socket or FIFO
 */
export async function copyStep(
  files: Files,
  step: PlannedCopy,
  source: string,
  prefix: string,
  isSpent: boolean,
): Promise<number> {
  const from = below(step, source, step.from);
  const to = below(step, prefix, step.to);
  const links: PendingLink[] = [];
  let count = 0;

  // A path through a link would read or write elsewhere: every folder on the way must be real.
  const realParent = await files.realPath(path.dirname(from));
  if (from !== source && realParent !== path.dirname(from))
    refuse(step, "the path leads through a link or is missing", step.from);

  /** @returns true for a new one, in which nothing can be in the way */
  const createFolder = async (folder: string): Promise<boolean> => {
    const isNew = (await files.facts(folder)) === undefined;
    await files.createFolder(folder);
    if ((await files.realPath(folder)) !== folder)
      refuse(step, "the target leads through a link", path.relative(prefix, folder));
    return isNew;
  };

  const demandFree = async (target: string): Promise<void> => {
    const existing = await files.facts(target);
    if (existing === undefined) return;
    if (existing.kind !== "file") refuse(step, `the target is a ${existing.kind}`, path.relative(prefix, target));
    await files.remove(target);
  };

  const copy = async (item: string, target: string, top: boolean, isFree: boolean): Promise<void> => {
    const facts = await files.facts(item);
    if (facts === undefined) refuse(step, "there is no such file in the source", path.relative(source, item) || ".");
    if (facts.kind === "link") {
      links.push({ at: target, target: (await files.readLink(item)) ?? "" });
      return;
    }
    if (facts.kind === "other") refuse(step, "a device, socket or FIFO cannot be copied", path.relative(source, item));
    if (facts.kind === "folder") {
      const isNew = await createFolder(target);
      for (const name of await files.list(item)) {
        if (name === ".git" || (top && step.exclude.includes(name))) continue;
        await copy(`${item}/${name}`, `${target}/${name}`, false, isNew);
      }
      return;
    }
    if (!isFree) await demandFree(target);
    // What has another name somewhere is not only the checkout's: the seal would take that one's write bits as well.
    if (isSpent && facts.links === 1) await files.rename(item, target);
    else await files.copyFile(item, target);
    const mode = (facts.mode & 0o111) === 0 ? 0o644 : 0o755;
    // A copy has the mode of its original.
    if ((facts.mode & 0o7777) !== mode) await files.setMode(target, mode);
    count++;
  };

  await createFolder((await files.facts(from))?.kind === "folder" ? to : path.dirname(to));
  await copy(from, to, true, false);
  for (const link of links) {
    if ((await files.facts(link.at))?.kind === "folder")
      refuse(step, "the target is a folder", path.relative(prefix, link.at));
    await files.remove(link.at);
    await files.link(link.target, link.at);
  }
  // Only now can a chain of links be followed as the kernel would.
  for (const link of links) {
    const real = await resolveLink(files, link);
    const stays = real !== undefined && isInside(prefix, real);
    if (path.isAbsolute(link.target) || !stays) {
      for (const made of links) await files.remove(made.at);
      refuse(step, "a link leaves the prefix", path.relative(prefix, link.at));
    }
    count++;
  }
  return count;
}

/**
 * Where a link leads, by the kernel's own resolution as far as there is something, and by its text from there on;
 * undefined when that rest goes upwards: what is made there later could lead anywhere.
 */
async function resolveLink(files: Files, link: PendingLink): Promise<string | undefined> {
  const parts = link.target.split("/");
  for (let count = parts.length; count >= 0; count--) {
    // Not path.join: it would resolve `..` by the text, and not after following the links before it.
    const real = await files.realPath([path.dirname(link.at), ...parts.slice(0, count)].join("/")).catch(ignoreLoop);
    if (real === undefined) continue;
    const rest = parts.slice(count);
    return rest.includes("..") ? undefined : path.join(real, ...rest);
  }
  return undefined;
}

/** Links in a circle lead nowhere, as one to nothing does; test data of real repositories has them. */
function ignoreLoop(error: unknown): undefined {
  if (!isIpmError(error) || error.data["errno"] !== "ELOOP") throw error;
}
