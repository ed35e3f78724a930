import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Phase } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import { runPlan } from "../execute/run-plan.ts";
import { runTests } from "../execute/run-tests.ts";
import { cacheEnvironment } from "../execute/step-environment.ts";
import { sealCheck } from "../execute/seal-check.ts";
import type { Ecosystem } from "../manifest/ecosystems.ts";
import type { Plan } from "../plan/plan.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { FetchedSource } from "../source/source.ts";
import { sha256Hex } from "../core/canonical-json.ts";
import { logName, timeOfLog } from "../store/log-names.ts";
import { type EntryId, type EntryPaths, entryFolder, entryPaths, formatEntryId } from "../store/layout.ts";
import { launcherSpecs, writeLaunchers } from "../store/profiles.ts";
import { linkState, renewTestState, setAsidePersisted } from "../store/persist.ts";
import { type Receipt, RECEIPT_SCHEMA, type SealedLauncher, readReceipt } from "../store/receipts.ts";
import { removeOwn } from "../store/remove-own.ts";
import { makeReadable, sealTree } from "../store/seal-tree.ts";
import { collectShare } from "../store/shared-files.ts";
import { demandInStore, discardEntry } from "../store/store.ts";
import type { StoreContext } from "../store/store-context.ts";
import { buildCacheOf, openBuildCache } from "./build-cache.ts";
import { placeDownloads } from "./place-downloads.ts";
import { resolveLaunchers } from "./resolve-launchers.ts";

/** A plan with everything that building it needs. */
export interface BuildInput {
  readonly plan: Plan;
  readonly source: FetchedSource;
  /** Short name of the version's tag for the steps' `.git`, or null. */
  readonly tag: string | null;
  /** Further tags for it. */
  readonly alsoTagged?: readonly string[];
  /** Ecosystems whose credentials steps are given, as the plan says. */
  readonly credentials: readonly Ecosystem[];
  readonly sandbox: Sandbox;
  /** What the user gave that is secret, for the server that tests run beside. Default: none. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly ipmVersion: string;
  /** Build anew although a complete entry of this plan is there (`reinstall`). */
  readonly fresh: boolean;
  /** Built to be run once (`ipm run`), not to be installed. Default: false. */
  readonly oneOff?: boolean;
  /** Nothing is fetched: downloads must be in the cache. Default: false. */
  readonly offline?: boolean;
}

export interface BuiltEntry {
  readonly id: EntryId;
  readonly receipt: Receipt;
  /** True when the entry was there already and nothing ran. */
  readonly reused: boolean;
}

/** Most rebuilds of one plan that can stand beside each other. */
const MAX_REBUILDS = 1000;

/** Enough of a check to use an entry again: its prefix is a real folder and every launcher's file is there. */
async function isUsable(store: StoreContext, paths: EntryPaths, receipt: Receipt): Promise<boolean> {
  const files = store.host.files;
  if ((await files.facts(paths.prefix))?.kind !== "folder") return false;
  for (const { file, interpreter, run } of receipt.launchers) {
    if (file !== null && (await files.realPath(path.join(paths.prefix, file))) === undefined) return false;
    const program = interpreter?.[0] ?? run?.[0];
    if (program !== undefined && (await files.realPath(program)) === undefined) return false;
  }
  return true;
}

/** The folder to build in, or the complete entry that can be used as it is. The caller holds the lock of the tool's entries. */
async function chooseEntry(
  store: StoreContext,
  plan: Plan,
  fresh: boolean,
): Promise<{ id: EntryId; receipt: Receipt | null }> {
  await demandInStore(store, plan.tool.name);
  for (let rebuild = 0; rebuild < MAX_REBUILDS; rebuild++) {
    const id: EntryId = { name: plan.tool.name, folder: entryFolder(plan.tool.version, plan.digest, rebuild) };
    const paths = entryPaths(store.layout, id);
    const found = await readReceipt(store.host, store.layout, id);
    if (found.state === "absent") {
      // Ours to take: we hold the lock, so whoever began this has ended.
      await removeOwn(store.host, store.layout, paths.root);
      return { id, receipt: null };
    }
    if (!fresh && found.state === "complete" && (await isUsable(store, paths, found.receipt)))
      return { id, receipt: found.receipt };
  }
  throw new IpmError("STATE_DAMAGED", `${plan.tool.name} has too many rebuilds of one plan`, {
    hint: "ipm gc --keep 0",
  });
}

/**
 * A new name for the log of a build, later than every other of the tool: clocks go back, and what is newest is told by
 * name. The caller holds the lock of the tool's entries.
 */
async function logPath(store: StoreContext, { plan, oneOff }: BuildInput): Promise<string> {
  const folder = path.join(store.layout.logs, plan.tool.name);
  const last = (await store.host.files.list(folder)).map(timeOfLog).findLast((time) => time !== undefined);
  const time = Math.max(store.host.now().getTime(), last === undefined ? 0 : last + 1);
  return path.join(folder, logName(new Date(time), oneOff ?? false));
}

/** Time a phase and tell about it. */
async function phase<T>(store: StoreContext, plan: Plan, name: Phase, work: () => Promise<T>): Promise<T> {
  const tool = `${plan.tool.name}@${plan.tool.version}`;
  store.emit({ type: "phase.started", tool, phase: name });
  store.host.checkpoint(`${name}.started`);
  store.host.signal.throwIfAborted();
  const start = store.host.monotonicMs();
  const result = await work();
  store.emit({ type: "phase.finished", tool, phase: name, ms: Math.round(store.host.monotonicMs() - start) });
  store.host.checkpoint(`${name}.finished`);
  return result;
}

/** Launchers of the new tool alone, for its tests and for `run`: as they will stand on PATH. @returns their `bin` */
async function writeOwnLaunchers(
  store: StoreContext,
  paths: EntryPaths,
  plan: Plan,
  launchers: readonly SealedLauncher[],
): Promise<string> {
  const folders = { bin: path.join(paths.launchers, "bin"), libexec: path.join(paths.launchers, "libexec") };
  for (const folder of Object.values(folders)) await store.host.files.createFolder(folder);
  await writeLaunchers(store.host, launcherSpecs(store.layout, paths.prefix, { plan, launchers }), folders);
  return folders.bin;
}

/** The tool's build cache, where a step has a use for one. */
async function openCache(host: Host, plan: Plan): Promise<{ cache?: string }> {
  const isUsed = plan.what.steps.some(
    (step) => step.kind === "run" && Object.keys(cacheEnvironment(plan.requirements, step.recipe, "")).length > 0,
  );
  return isUsed ? { cache: await openBuildCache(host, plan) } : {};
}

async function build(store: StoreContext, input: BuildInput, id: EntryId): Promise<Receipt> {
  const { plan } = input;
  const { host, layout, emit } = store;
  const paths = entryPaths(layout, id);
  const started = host.now().toISOString();
  const log = await logPath(store, input);
  const context = {
    host,
    emit,
    sandbox: input.sandbox,
    credentials: input.credentials,
    offline: input.offline ?? false,
    secrets: input.secrets ?? {},
  };
  const places = {
    prefix: paths.prefix,
    source: paths.source,
    home: paths.home,
    tmp: paths.tmp,
    scratch: paths.scratch,
    log,
    ...(await openCache(host, plan)),
  };
  await phase(store, plan, "prepare", async () => {
    for (const folder of [paths.root, path.dirname(log)]) await host.files.createFolder(folder);
    await input.source.checkout(paths.source, input.tag, input.alsoTagged);
    await placeDownloads(store, plan, paths.tmp, input.offline ?? false);
  });
  const { stray } = await phase(store, plan, "steps", () => runPlan(context, plan, places));
  await makeReadable(host, paths.prefix);
  await sealCheck(host, paths.prefix, plan.what.provides, stray);
  const { launchers, toolchains } = await resolveLaunchers(host, plan, paths.prefix);
  const share = await collectShare(host, paths.prefix, plan.what.provides);
  for (const folder of [paths.source, paths.home, paths.tmp]) await host.files.remove(folder);
  const persist = plan.what.persist ?? [];
  await setAsidePersisted(host, paths, persist, launchers);
  if (persist.length > 0) await sealTree(host, paths.seed);
  const sealed = await phase(store, plan, "seal", () => sealTree(host, paths.prefix));
  const bin = await writeOwnLaunchers(store, paths, plan, launchers);
  await sealTree(host, paths.launchers);
  if (plan.what.tests.length > 0)
    await phase(store, plan, "tests", () =>
      runTests(context, plan, places, {
        bin,
        toolchains,
        ...(persist.length === 0 ? {} : { state: { folder: paths.state, renew: () => renewTestState(host, paths) } }),
      }),
    );
  await host.files.remove(paths.scratch);
  if (persist.length > 0) await linkState(host, layout, paths, plan.tool.name);
  const filesJson = `${JSON.stringify(sealed.files)}\n`;
  await host.files.write(paths.files, filesJson, 0o444);
  host.checkpoint("seal.files");
  // The whole entry first, then the receipt: it must not be on the disk before what it vouches for.
  await host.files.flushTree(paths.root);
  const receipt: Receipt = {
    schema: RECEIPT_SCHEMA,
    entry: formatEntryId(id),
    plan,
    ipm: input.ipmVersion,
    started,
    finished: host.now().toISOString(),
    sandbox: input.sandbox.kind,
    log: path.relative(layout.data, log),
    bytes: sealed.bytes,
    files: sealed.count,
    filesDigest: sha256Hex(filesJson),
    launchers,
    share,
  };
  host.checkpoint("seal.receipt");
  await host.files.writeDurably(paths.receipt, `${JSON.stringify(receipt, null, 2)}\n`, 0o444);
  await host.files.flushFolder(path.dirname(paths.root));
  await host.files.flushFolder(layout.store);
  host.checkpoint("seal.done");
  return receipt;
}

/**
 * Build the entry of a plan in its final place, or use the complete one that is there. On any failure the tree is
 * removed and its space given back; the log stays. The caller holds the lock of the tool's entries (`lockEntries`) from
 * before this call until the generation that uses the entry is current.
 * @throws IpmError STEP_FAILED, STEP_TIMEOUT, TEST_FAILED, OUTPUT_INVALID, SANDBOX_FAILED, DISK_FULL, IO_FAILED
 */
export async function buildEntry(store: StoreContext, input: BuildInput): Promise<BuiltEntry> {
  const chosen = await chooseEntry(store, input.plan, input.fresh);
  if (chosen.receipt !== null) return { id: chosen.id, receipt: chosen.receipt, reused: true };
  try {
    return { id: chosen.id, receipt: await build(store, input, chosen.id), reused: false };
  } catch (error) {
    // It may be what the failure came from: the next build begins with nothing.
    await store.host.files.remove(buildCacheOf(store.host, input.plan)).catch(() => undefined);
    await discardEntry(store, chosen.id).catch((failure: unknown) => {
      // Garbage without a receipt: the next command that writes removes it.
      if (!isIpmError(failure)) throw failure;
    });
    throw error;
  }
}
