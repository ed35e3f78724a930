// What a draft of a repository and one of an ecosystem's package have in common.
import { IpmError, isIpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Finding } from "../manifest/finding.ts";
import type { Draft, DraftVersion } from "../recipes/draft-manifest.ts";
import { openRegistries } from "../registry/open-registries.ts";
import type { Context } from "./context.ts";
import { shownPath } from "./manifest-files.ts";
import { registryContext } from "./registry-context.ts";

export interface InitOptions {
  /** Branch, tag or commit; default: the newest version's tag. */
  readonly ref: string | null;
  /** File (ends with `.yaml`) or folder to write to; default: the current folder. */
  readonly output: string | null;
  /** Overwrite a file that is there. */
  readonly force: boolean;
  /** Run the draft in a clean room, and try the next way when one fails. */
  readonly verify: boolean;
  readonly offline: boolean;
  /** Only show. */
  readonly dryRun: boolean;
}

/** A way that was tried in a clean room. */
export interface InitAttempt {
  readonly recipe: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly why: string | null;
}

export interface InitResult {
  readonly draft: Draft;
  /** The pinned version, or null for an `ipm.yaml`. */
  readonly version:
    | DraftVersion
    | { readonly version: string; readonly integrity: string; readonly lock: string }
    | null;
  /** Where it was written, as it is shown; null when it was not. */
  readonly written: string | null;
  readonly findings: readonly Finding[];
  /** With `verify`: every way that was tried, the last one is the draft's. */
  readonly attempts: readonly InitAttempt[];
  /** What registries know of it already. */
  readonly known: readonly string[];
}

/** What the registries in use have of this repository or under this name. */
export async function knownBy(context: Context, git: string | null, name: string): Promise<string[]> {
  const registries = await openRegistries(registryContext(context));
  const known: string[] = [];
  const ask = async (
    look: () => Promise<{ registry: string; entry: { name: string } } | undefined>,
    how: string,
  ): Promise<void> => {
    try {
      const found = await look();
      if (found !== undefined) known.push(`${how} in the registry ${found.registry}, as ${found.entry.name}`);
    } catch (error) {
      // Not there, or not to be known here: a draft is made all the same.
      if (!isIpmError(error)) throw error;
    }
  };
  try {
    if (git !== null) await ask(() => registries.lookUpSource(git), "the repository is");
    await ask(() => registries.lookUp(name), `the name ${name} is`);
  } finally {
    registries.close();
  }
  return [...new Set(known)];
}

/** @throws IpmError FOREIGN_FILE for a draft that would replace a file without `--force` */
export async function demandFree(context: Context, place: string, force: boolean): Promise<void> {
  if (force || (await context.host.files.facts(place)) === undefined) return;
  throw new IpmError("FOREIGN_FILE", `${escapeUntrusted(shownPath(context.host.facts.cwd, place))} is there already`, {
    hint: "add --force to replace it, or --output FILE",
    data: { path: place },
  });
}

/**
 * Verify the manifest at a place, and tell what came of it.
 * @param brief the installation and its tests alone
 * @throws IpmError those of `verify`
 */
export async function verifyPlace(
  context: Context,
  place: string,
  recipe: string,
  brief: boolean,
): Promise<InitAttempt> {
  const { verify } = await import("./verify.ts");
  const { methods } = await verify(context, [place], {
    method: null,
    jobs: 1,
    write: false,
    output: null,
    twice: false,
    brief,
    keepCache: true,
    offline: false,
    all: false,
    changed: null,
    shard: null,
  });
  if (methods.some(({ outcome }) => outcome === "passed")) return { recipe, outcome: "passed", why: null };
  const [first] = methods;
  const failed = first?.checks.find(({ status }) => status === "failed");
  const why = first?.why ?? failed?.details.join("; ") ?? null;
  return { recipe, outcome: first?.outcome === "skipped" ? "skipped" : "failed", why };
}
