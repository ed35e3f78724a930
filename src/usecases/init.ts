import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { escapeUntrusted, redactCredentials } from "../core/untrusted-text.ts";
import { isEcosystem } from "../manifest/ecosystems.ts";
import { factsAlone, lintManifest } from "../manifest/lint/lint-manifest.ts";
import { newestVersion, taggedVersions } from "../manifest/version-of-tag.ts";
import { type Draft, type DraftVersion, type Learned, draftManifest, readProbe } from "../recipes/draft-manifest.ts";
import type { FoundLibrary } from "../recipes/system-libraries.ts";
import { MANIFEST_FILE, PACKAGES, findRegistryRoot } from "../registry/registry-tree.ts";
import { findMissingRequirement } from "../plan/missing-requirement.ts";
import { identifyRequirement } from "../plan/requirements.ts";
import { listRefs } from "../source/list-refs.ts";
import { type Target, parseTarget } from "../source/parse-target.ts";
import type { FetchedCommit } from "../source/source.ts";
import type { Context } from "./context.ts";
import { type InitAttempt, type InitOptions, type InitResult, demandFree, knownBy, verifyPlace } from "./init-draft.ts";
import { readForDraft, repositoryName } from "./draft.ts";
import { fetchSource } from "./fetch-source.ts";
import { shownPath } from "./manifest-files.ts";
import { findNearestVersion } from "./nearest-version.ts";
import { sourceContext } from "./source-context.ts";

interface Opened {
  readonly fetched: FetchedCommit;
  readonly name: string;
  readonly git: string | null;
  readonly version: DraftVersion | null;
  /** The folder that was named, or null. */
  readonly folder: string | null;
}

async function openRepository(
  context: Context,
  { url, ref }: Extract<Target, { kind: "git" }>,
  typed: string,
  options: InitOptions,
): Promise<Opened> {
  const name = repositoryName(url);
  const base = { kind: "git", url, named: true, tree: null } as const;
  const tagged =
    options.offline || ref !== null
      ? undefined
      : newestVersion(
          taggedVersions((await listRefs(sourceContext(context), { url, named: true }, { tool: typed })).commits, name),
        );
  const request =
    tagged === undefined ? { ...base, ref, commit: null } : { ...base, ref: tagged.ref, commit: tagged.commit };
  const fetched = await fetchSource(context, request, typed, options.offline);
  const { commit, tree } = fetched;
  const own = fetched.ref === null ? undefined : taggedVersions(new Map([[fetched.ref, commit]]), name)[0];
  const found = tagged ?? own;
  const nearest =
    found === undefined && !options.offline
      ? await findNearestVersion(context, { url, commit }, name, typed)
      : undefined;
  // Without a release there are the days of a branch (`source.track`).
  const isReleased = options.offline || found !== undefined || nearest !== undefined;
  const track = isReleased ? undefined : /^refs\/heads\/(?<branch>.+)$/u.exec(fetched.ref ?? "")?.groups?.["branch"];
  const day = track === undefined ? null : await fetched.committedOn();
  const version = {
    version: (found ?? nearest)?.version ?? day?.replaceAll("-", ".") ?? `0.0.0-${commit.slice(0, 12)}`,
    ref: nearest?.ref ?? fetched.ref,
    commit,
    tree,
    ...(track === undefined || day === null ? {} : { track }),
    ...(nearest === undefined || nearest.after.distance === 0 ? {} : { after: nearest.after }),
  };
  return { fetched, name, git: url, version, folder: null };
}

async function openFolder(context: Context, target: string, typed: string, options: InitOptions): Promise<Opened> {
  const { files, facts } = context.host;
  const home = facts.env["HOME"];
  const expanded = home !== undefined && /^~(?:\/|$)/u.test(target) ? path.join(home, target.slice(1)) : target;
  const folder = await files.realPath(path.resolve(facts.cwd, expanded));
  if (folder === undefined || (await files.facts(folder))?.kind !== "folder") {
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(typed)} is not a folder`, {
      hint: "name a folder, OWNER/REPO or a git URL",
    });
  }
  const fetched = await fetchSource(context, { kind: "folder", path: folder }, typed, options.offline);
  return { fetched, name: repositoryName(folder), git: null, version: null, folder };
}

async function open(context: Context, typed: string, options: InitOptions): Promise<Opened> {
  const target = parseTarget(typed, options.ref);
  if (target.kind === "git") return openRepository(context, target, redactCredentials(typed), options);
  if (target.kind === "path") return openFolder(context, target.path, typed, options);
  throw new IpmError("TARGET_INVALID", `${escapeUntrusted(typed)} is a name; a draft is made from a repository`, {
    hint: "write OWNER/REPO, a git URL, ./FOLDER, or npm:NAME for a package of an ecosystem",
  });
}

/** True for `npm:ripcat`: a name of a registry cannot be drafted, so the word before the colon is an ecosystem. */
function isPackageTarget(typed: string): boolean {
  return isEcosystem(typed.slice(0, typed.indexOf(":")));
}

/** Where the draft goes: the registry's place in a registry, else `NAME.yaml` or `ipm.yaml`. */
async function placeOf(context: Context, opened: Opened, name: string, output: string | null): Promise<string> {
  const { files, facts } = context.host;
  if (output !== null && /\.ya?ml$/u.test(output)) return path.resolve(facts.cwd, output);
  const folder = path.resolve(facts.cwd, output ?? opened.folder ?? ".");
  if (opened.git === null) return path.join(folder, "ipm.yaml");
  const registry = await findRegistryRoot(files, folder);
  return registry === undefined
    ? path.join(folder, `${name}.yaml`)
    : path.join(registry, PACKAGES, name, MANIFEST_FILE);
}

interface Tried {
  readonly attempt: InitAttempt;
  /** The last lines that steps printed. */
  readonly steps: readonly string[];
  /** What tests printed. */
  readonly tests: readonly string[];
}

/** Lines of each kind that are looked at. */
const MAX_LINES = 2000;

/** Run one draft in a clean room. */
async function tryDraft(context: Context, draft: Draft, opened: Opened): Promise<Tried> {
  const steps: string[] = [];
  const tests: string[] = [];
  const emit: Context["emit"] = (event) => {
    if (event.type === "step.output" && steps.push(event.line) > MAX_LINES) steps.shift();
    if (event.type === "test.output" && tests.length < MAX_LINES) tests.push(event.line);
    context.emit(event);
  };
  return { attempt: await verifyDraft({ ...context, emit }, draft, opened, true), steps, tests };
}

async function verifyDraft(context: Context, draft: Draft, opened: Opened, brief: boolean): Promise<InitAttempt> {
  const { files } = context.host;
  const recipe = draft.candidates[draft.chosen]?.recipe ?? "";
  const scratch = path.join(context.host.homes.cache, "drafts", draft.name);
  // A folder is verified with the draft in it: as a snapshot of its own, the folder itself stays as it is.
  const file = path.join(scratch, opened.git === null ? "source/ipm.yaml" : `${draft.name}.yaml`);
  await files.remove(scratch);
  try {
    if (opened.git === null) await opened.fetched.checkout(path.join(scratch, "source"), null);
    await files.createFolder(path.dirname(file));
    await files.write(file, draft.text);
    const target = opened.git === null ? path.join(scratch, "source") : file;
    return await verifyPlace(context, target, recipe, brief);
  } catch (error) {
    if (!isIpmError(error) || error.code === "INTERRUPTED" || error.code === "SANDBOX_UNAVAILABLE") throw error;
    return { recipe, outcome: error.code === "REQUIREMENT_MISSING" ? "skipped" : "failed", why: error.message };
  } finally {
    await files.remove(scratch);
  }
}

const MAX_ATTEMPTS = 5;
/** How often a way is tried again with one thing more that its build asked for. */
const MAX_MISSING = 5;

type DraftOf = (skip: number, learned?: Learned) => Draft | undefined;

interface Verified {
  readonly draft: Draft;
  readonly attempts: readonly InitAttempt[];
}

function sameThing(a: FoundLibrary, b: FoundLibrary): boolean {
  const [one, other] = [identifyRequirement(a.requirement), identifyRequirement(b.requirement)];
  return one.kind === other.kind && one.name === other.name;
}

/** The probe's own text is nothing to read. */
function inWords(attempt: InitAttempt): InitAttempt {
  return {
    ...attempt,
    why: attempt.why?.replace(/for ask in .*?; exit 1/u, "answer one of the usual questions") ?? null,
  };
}

/** Try one way: until nothing more is missing, then again with the one question that the tool answers. */
async function tryWay(context: Context, opened: Opened, draftOf: DraftOf, skip: number): Promise<Verified | undefined> {
  const attempts: InitAttempt[] = [];
  const missing: FoundLibrary[] = [];
  for (;;) {
    const probe = draftOf(skip, { missing, test: "probe" });
    const plain = draftOf(skip, { missing, test: null });
    if (probe === undefined || plain === undefined) return undefined;
    const tried = await tryDraft(context, probe, opened);
    if (tried.attempt.outcome === "passed") {
      const { version } = opened.version ?? { version: null };
      const answer = readProbe(tried.tests, plain.name, version);
      const narrow = answer === undefined ? undefined : draftOf(skip, { missing, test: answer });
      // What is written is what passed: the other test is another plan.
      for (const draft of narrow === undefined ? [plain] : [narrow, plain]) {
        const again = await verifyDraft(context, draft, opened, false);
        if (again.outcome === "passed" || draft === plain) return { draft, attempts: [...attempts, again] };
      }
    }
    attempts.push(inWords(tried.attempt));
    const lacks = tried.attempt.outcome === "failed" ? findMissingRequirement(tried.steps) : undefined;
    if (lacks === undefined || missing.length >= MAX_MISSING || missing.some((one) => sameThing(one, lacks)))
      return { draft: plain, attempts };
    missing.push(lacks);
  }
}

/** Try the ways that were seen, the best first, until one passes. */
async function verifyWays(context: Context, opened: Opened, draftOf: DraftOf, first: Draft): Promise<Verified> {
  const attempts: InitAttempt[] = [];
  // What only lacks something of this machine may pass elsewhere: it is the better draft when nothing passes here.
  let best: Draft | undefined;
  for (let skip = 0; skip < MAX_ATTEMPTS; skip++) {
    const draft = draftOf(skip);
    // A library is no other way to get the same tool.
    const way = draft?.kind === "tool" ? await tryWay(context, opened, draftOf, skip) : undefined;
    if (way === undefined) break;
    attempts.push(...way.attempts);
    const outcome = way.attempts.at(-1)?.outcome;
    if (outcome === "passed") return { draft: way.draft, attempts };
    if (outcome === "skipped") best ??= way.draft;
  }
  return { draft: best ?? first, attempts };
}

/**
 * Draft a manifest for a repository by reading it, and write it beside the others of a registry or into the current folder.
 * For a folder it is an `ipm.yaml`, which goes into that folder. After the fetch nothing is asked of a network, unless
 * `verify` runs the draft.
 * @param typed git URL, `owner/repo[@ref]`, a folder, or an ecosystem's package: `npm:ripcat[@version]`
 * @throws IpmError TARGET_INVALID, MANIFEST_MISSING (no recipe sees anything), FOREIGN_FILE, those of fetches
 */
export async function init(context: Context, typed: string, options: InitOptions): Promise<InitResult> {
  if (isPackageTarget(typed)) {
    const { initPackage } = await import("./init-package.ts");
    return initPackage(context, typed, options);
  }
  const opened = await open(context, typed, options);
  const target = { name: opened.name, git: opened.git, versions: opened.version === null ? [] : [opened.version] };
  const input = await readForDraft(opened.fetched, target);
  const draftOf: DraftOf = (skip, learned) =>
    draftManifest({ ...input, skip, ...(learned === undefined ? {} : { learned }) });
  let draft = draftOf(0);
  if (draft === undefined) {
    throw new IpmError(
      "MANIFEST_MISSING",
      `no recipe sees how to install ${escapeUntrusted(redactCredentials(typed))}`,
      {
        hint: "write a manifest by hand: docs/manifest.md begins with ten lines",
        data: { source: redactCredentials(typed) },
      },
    );
  }
  const place = await placeOf(context, opened, draft.name, options.output);
  if (!options.dryRun) await demandFree(context, place, options.force);
  let attempts: readonly InitAttempt[] = [];
  if (options.verify && draft.kind === "tool")
    ({ draft, attempts } = await verifyWays(context, opened, draftOf, draft));
  const known = await knownBy(context, opened.git, draft.name);
  if (!options.dryRun) {
    await context.host.files.createFolder(path.dirname(place));
    await context.host.files.writeDurably(place, draft.text);
  }
  const shown = shownPath(context.host.facts.cwd, place);
  const kind = opened.git === null ? "repository" : "registry";
  const { findings } = lintManifest(new TextEncoder().encode(draft.text), shown, {
    facts: factsAlone(kind),
    named: true,
  });
  return { draft, version: opened.version, written: options.dryRun ? null : shown, findings, attempts, known };
}
