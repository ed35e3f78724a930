import path from "node:path";
import { type IpmError, isIpmError } from "../core/errors.ts";
import type { IpmEvent } from "../core/events.ts";
import { type Host, platformId } from "../core/host.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { methodChoices } from "../manifest/resolve-manifest.ts";
import { packageUrl, parsePackageReference } from "../manifest/package-reference.ts";
import { selectVersion } from "../manifest/select-version.ts";
import { type Plan, isPackage } from "../plan/plan.ts";
import { entryPaths, layoutOf, parseEntryId } from "../store/layout.ts";
import { type Receipt, readReceipt } from "../store/receipts.ts";
import { type SealedFile, measureTree, readSealedFiles } from "../store/seal-tree.ts";
import type { Attestation } from "../trust/attestation.ts";
import type { Context, PlanOptions } from "./context.ts";
import { collectGarbage } from "./gc.ts";
import { install } from "./install.ts";
import { listTools } from "./list.ts";
import { planTargets } from "./plan-targets.ts";
import { reinstall } from "./reinstall.ts";
import { rollback } from "./rollback.ts";
import { uninstall } from "./uninstall.ts";
import { upgrade } from "./upgrade.ts";
import { OTHER_SURROUNDINGS, USUAL_SURROUNDINGS } from "./verify-observe.ts";
import { type CleanRoom, openCleanRoom } from "./verify-room.ts";
import type { VerifySubject } from "./verify-targets.ts";

/** The checks in their order: what is done, then what was watched all the time. Part of the JSON contract. */
export const VERIFY_CHECKS = [
  "plan",
  "install",
  "reinstall",
  "upgrade",
  "rollback",
  "uninstall",
  "gc",
  "outside",
  "home",
  "processes",
  "network",
  "secrets",
] as const;
export type VerifyCheckId = (typeof VERIFY_CHECKS)[number];

export interface VerifyCheck {
  readonly id: VerifyCheckId;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped, one sentence each; what it found. */
  readonly details: readonly string[];
  readonly ms: number;
}

/** What the verification of one method of one version saw. Part of the JSON contract. */
export interface VerifiedMethod {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly platform: string;
  /** `skipped`: this machine cannot run it; that is no failure, and verifies nothing. */
  readonly outcome: "passed" | "failed" | "skipped";
  readonly why: string | null;
  readonly digest: string | null;
  readonly checks: readonly VerifyCheck[];
  readonly files: number;
  /** Bytes of the installed tree, and the most that the whole run took on the disk. */
  readonly bytes: number;
  readonly peakBytes: number;
  readonly ms: number;
  /** What the manifest declares, and what of it was reached. */
  readonly network: { readonly declared: readonly string[]; readonly reached: readonly string[] };
  /** Two builds in different surroundings gave the same files; null when only one was made. */
  readonly reproducible: boolean | null;
  /** Files that differed, at most 20. */
  readonly differences: readonly string[];
  /** Log of the first failure, kept for `ipm logs`; null when there is none. */
  readonly log: string | null;
}

export interface MethodRun {
  readonly result: VerifiedMethod;
  /** Only when everything held. */
  readonly attestation: Attestation | null;
}

export interface MethodOptions {
  readonly twice: boolean;
  readonly keepCache: boolean;
  readonly offline: boolean;
  /** Only plan, build and test, to see whether it works at all: no attestation comes of it. */
  readonly brief?: boolean;
  /** What the tool asks for and is not secret: it is part of what is verified. */
  readonly set?: Readonly<Record<string, string>>;
}

const MOST_DIFFERENCES = 20;
/** Everything that is done; `twice` comes besides. */
const STAGES = ["plan", "install", "reinstall", "upgrade", "rollback", "uninstall", "gc"] as const;
type Stage = (typeof STAGES)[number];

const TITLES: Readonly<Record<Stage, string>> = {
  plan: "fetch and plan",
  install: "build and test",
  reinstall: "build once more",
  upgrade: "upgrade from the version before",
  rollback: "roll back",
  uninstall: "uninstall",
  gc: "collect garbage",
};

/** A check that did not hold, as a value of this file. */
class Failed extends Error {}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Failed(otherwise);
}

/** A failure that says something of what is verified, and not of the machine. */
function isFailureOfTool(error: unknown): error is IpmError {
  return isIpmError(error) && error.code !== "SANDBOX_FAILED" && error.code !== "DISK_FULL";
}

/** What is not the first line of a failure: the lines before it went wrong. */
function linesOf(error: IpmError): string[] {
  const { lastLines, stdout, stderr } = error.data;
  if (Array.isArray(lastLines)) return lastLines.filter((line) => typeof line === "string").slice(-5);
  const shown = [stdout, stderr].find((text) => typeof text === "string" && text.trim() !== "");
  return typeof shown === "string" ? shown.trim().split("\n").slice(-5).map(escapeUntrusted) : [];
}

/** What the manifest's writer can do about a failure, where its own hint is for users. */
function wayOut(error: IpmError): string[] {
  const { inputs } = error.data;
  if (error.code !== "INPUT_MISSING" || !Array.isArray(inputs)) return [];
  const names = inputs.flatMap((input) => (isRecord(input) && typeof input["env"] === "string" ? [input["env"]] : []));
  return [`a clean room knows only what --set gives it: ${names.map((name) => `--set ${name}=VALUE`).join(" ")}`];
}

function attestedSource({ what: { source } }: Plan): Pick<Attestation, "commit" | "tree" | "package"> {
  if (!isPackage(source)) return { commit: source.commit, tree: source.tree, package: null };
  const reference = parsePackageReference(source.package);
  if (reference === undefined) throw new TypeError(`a plan installs ${source.package}, which is no package`);
  const url = packageUrl(reference, source.version);
  return { commit: null, tree: null, package: { url, integrity: source.integrity, lock: source.lock } };
}

/** How many files a folder holds, and their bytes. */
async function sizeOf(host: Host, folder: string): Promise<{ files: number; bytes: number }> {
  const count = async (place: string): Promise<number> => {
    if ((await host.files.facts(place))?.kind !== "folder") return 1;
    let files = 0;
    for (const name of await host.files.list(place)) files += await count(path.join(place, name));
    return files;
  };
  return { files: await count(folder), bytes: await measureTree(host, folder) };
}

/** One method of one version, from nothing to nothing, in clean rooms. */
class MethodVerification {
  readonly #context: Context;
  readonly #subject: VerifySubject;
  readonly #method: string;
  readonly #options: MethodOptions;
  readonly #checks: VerifyCheck[] = [];
  readonly #planOptions: PlanOptions;
  readonly #started: number;
  #plan: Plan | null = null;
  #size = { files: 0, bytes: 0 };
  #log: string | null = null;

  constructor(context: Context, subject: VerifySubject, method: string, options: MethodOptions) {
    this.#context = context;
    this.#subject = subject;
    this.#method = method;
    this.#options = options;
    this.#started = context.host.monotonicMs();
    this.#planOptions = {
      method,
      allowUnverified: true,
      noSandbox: false,
      noFallback: true,
      offline: options.offline,
      jobs: 1,
      keepGoing: false,
      yes: true,
      dryRun: false,
      // Nothing in here is used by anybody: what needs one is not tried.
      cleanRoom: true,
      set: Object.fromEntries(
        Object.entries(options.set ?? {}).filter(([name]) => subject.manifest.inputs?.some(({ env }) => env === name)),
      ),
    };
  }

  get #stages(): readonly Stage[] {
    return this.#options.brief === true ? ["plan", "install"] : STAGES;
  }

  get #tool(): string {
    return `${this.#subject.name}@${this.#subject.version}`;
  }

  /** Of what happens in the room only what tells something to somebody who waits for a verification. */
  #passOn(event: IpmEvent): void {
    if (
      event.type === "step.output" ||
      event.type === "test.output" ||
      event.type === "fetch.progress" ||
      event.type === "lock.waiting"
    )
      this.#context.emit(event);
  }

  /** Run one stage and note how it went. @returns false when it failed and nothing after it makes sense */
  async #stage(room: CleanRoom, stage: Stage, work: () => Promise<string | null>): Promise<boolean> {
    const { host, emit } = this.#context;
    const started = host.monotonicMs();
    const at = {
      tool: this.#tool,
      id: stage,
      title: `${this.#subject.name} ${this.#subject.version} by ${this.#method}: ${TITLES[stage]}`,
    };
    emit({ type: "step.started", ...at, index: this.#stages.indexOf(stage), total: this.#stages.length });
    let status: VerifyCheck["status"] = "failed";
    let details: readonly string[] = [];
    try {
      const skipped = await work();
      status = skipped === null ? "passed" : "skipped";
      if (skipped !== null) details = [skipped];
    } catch (error) {
      host.signal.throwIfAborted();
      if (error instanceof Failed) details = [error.message];
      else if (isFailureOfTool(error)) {
        details = [`${error.code}: ${error.message}`, ...linesOf(error), ...wayOut(error)];
        await this.#keepLog(room, error);
      } else throw error;
    }
    await room.measure();
    const ms = Math.round(host.monotonicMs() - started);
    this.#checks.push({ id: stage, status, details, ms });
    const outcome = status === "passed" ? "done" : status;
    emit({ type: "step.finished", ...at, outcome, ms });
    return status !== "failed";
  }

  /** The room goes, its log stays: where `ipm logs` looks for it. */
  async #keepLog(room: CleanRoom, error: IpmError): Promise<void> {
    const { log } = error.data;
    if (typeof log !== "string" || this.#log !== null) return;
    const { host } = this.#context;
    const text = await host.files.readText(log);
    if (text === undefined) return;
    const folder = path.join(layoutOf(host.homes).logs, this.#subject.name);
    this.#log = path.join(folder, path.basename(log));
    await host.files.createFolder(folder);
    await host.files.write(this.#log, text.replaceAll(room.folder, "(clean room)"));
  }

  get #isWorkspace(): boolean {
    return this.#subject.manifest.kind === "workspace";
  }

  /** How something is installed that is not there yet. */
  #optionsIn(room: CleanRoom): PlanOptions {
    return this.#isWorkspace ? { ...this.#planOptions, into: room.workspace } : this.#planOptions;
  }

  async #installed(
    room: CleanRoom,
  ): Promise<{ version: string; bins: readonly string[]; entry: string | null } | undefined> {
    return (await listTools(room.context)).find(({ name }) => name === this.#subject.name);
  }

  async #demandInstalled(room: CleanRoom, version: string): Promise<void> {
    const tool = await this.#installed(room);
    demand(tool?.version === version, `${tool === undefined ? "nothing" : tool.version} is installed, not ${version}`);
    const { files, homes } = room.context.host;
    for (const bin of tool?.bins ?? []) {
      const launcher = path.join(layoutOf(homes).current, "bin", bin);
      demand((await files.facts(launcher)) !== undefined, `the launcher ${escapeUntrusted(bin)} is missing`);
    }
  }

  async #receiptIn(room: CleanRoom): Promise<{ receipt: Receipt; files: Readonly<Record<string, SealedFile>> }> {
    const { host } = room.context;
    const tool = await this.#installed(room);
    const id = typeof tool?.entry === "string" ? parseEntryId(tool.entry) : undefined;
    const found = id === undefined ? undefined : await readReceipt(host, layoutOf(host.homes), id);
    if (id === undefined || found?.state !== "complete") throw new Failed("there is no receipt");
    const { files: list } = entryPaths(layoutOf(host.homes), id);
    const files = await readSealedFiles(host, list, found.receipt.filesDigest);
    if (files === undefined) throw new Failed("the list of files is not the one of the receipt");
    return { receipt: found.receipt, files };
  }

  /** The newest version before this one that this platform can have, or why there is none. */
  #versionBefore(): { version: string } | { why: string } {
    const { entry, version } = this.#subject;
    if (entry === null) return { why: "a target outside of any registry has no version before" };
    const at = entry.versions.findIndex((item) => item.version === version);
    if (entry.versions[at]?.prerelease === true) return { why: "nothing is upgraded to a pre-release by itself" };
    const older = selectVersion({ versions: entry.versions.slice(at + 1) }, null);
    if (!older.ok) return { why: "there is no version before" };
    const before = older.version.version;
    const { platform } = this.#context.host.facts;
    const fits = methodChoices(entry, before, platform).some(({ id, applies }) => id === this.#method && applies);
    return fits ? { version: before } : { why: `${before} has no method ${this.#method} here` };
  }

  async #upgrade(room: CleanRoom): Promise<string | null> {
    const before = this.#versionBefore();
    if ("why" in before) return before.why;
    const { name, version } = this.#subject;
    await this.#uninstall(room);
    await install(room.context, [`${name}@${before.version}`], this.#optionsIn(room));
    await this.#demandInstalled(room, before.version);
    await upgrade(room.context, [name], this.#planOptions);
    await this.#demandInstalled(room, version);
    return null;
  }

  async #rollBack(room: CleanRoom): Promise<string | null> {
    if (this.#isWorkspace) return "no generation holds a workspace";
    const before = this.#versionBefore();
    await rollback(room.context, null);
    await this.#demandInstalled(room, "why" in before ? this.#subject.version : before.version);
    return null;
  }

  async #uninstall(room: CleanRoom): Promise<null> {
    const { files, homes } = room.context.host;
    const { workspaces } = await uninstall(room.context, [this.#subject.name], { purge: false });
    // What the steps change in the repository looks like its user's work, and keeps it from being upgraded too.
    for (const { kept } of workspaces) demand(kept === null, `the folder would stay: ${kept ?? ""}`);
    const left = await files.list(path.join(layoutOf(homes).current, "bin"));
    demand(left.length === 0, `launchers are left: ${left.map(escapeUntrusted).join(", ")}`);
    return null;
  }

  async #gc(room: CleanRoom): Promise<null> {
    const { files, homes } = room.context.host;
    await collectGarbage(room.context, { keep: 0, dryRun: false });
    const left = await files.list(layoutOf(homes).store);
    demand(left.length === 0, `the store still holds ${left.map(escapeUntrusted).join(", ")}`);
    return null;
  }

  /** Everything in the first room, stage by stage; what was left outside is looked for after each. */
  async #runAll(room: CleanRoom): Promise<Readonly<Record<string, SealedFile>> | null> {
    const outside = new Set<string>();
    let files: Readonly<Record<string, SealedFile>> | null = null;
    const work: Readonly<Record<Stage, () => Promise<string | null>>> = {
      plan: async () => {
        const { plans } = await planTargets(room.context, [room.target], this.#optionsIn(room));
        this.#plan = plans[0] ?? null;
        return null;
      },
      install: async () => {
        await install(room.context, [room.target], this.#optionsIn(room));
        await this.#demandInstalled(room, this.#subject.version);
        if (this.#isWorkspace) {
          this.#size = await sizeOf(room.context.host, room.workspace);
          return null;
        }
        const sealed = await this.#receiptIn(room);
        this.#size = { files: sealed.receipt.files, bytes: sealed.receipt.bytes };
        files = sealed.files;
        return null;
      },
      reinstall: async () => {
        await reinstall(room.context, this.#subject.name, this.#planOptions);
        await this.#demandInstalled(room, this.#subject.version);
        return null;
      },
      upgrade: () => this.#upgrade(room),
      rollback: () => this.#rollBack(room),
      uninstall: () => this.#uninstall(room),
      gc: () => this.#gc(room),
    };
    for (const stage of this.#stages) {
      const goesOn = await this.#stage(room, stage, work[stage]);
      for (const file of await room.unexpected()) outside.add(`after ${stage}: ${file}`);
      if (!goesOn) break;
    }
    const { seen } = room.observer;
    const watched: Readonly<Record<string, ReadonlySet<string>>> = {
      outside,
      home: seen.home,
      processes: seen.processes,
      network: seen.undeclared,
      secrets: seen.secrets,
    };
    for (const id of VERIFY_CHECKS) {
      const found = watched[id];
      if (found === undefined) continue;
      this.#checks.push({ id, status: found.size === 0 ? "passed" : "failed", details: [...found], ms: 0 });
    }
    return files;
  }

  async #inRoom<T>(
    more: Pick<Parameters<typeof openCleanRoom>[2], "surroundings" | "suffix">,
    work: (room: CleanRoom) => Promise<T>,
  ): Promise<T> {
    const room = await openCleanRoom(this.#context, this.#subject, {
      ...more,
      keepCache: this.#options.keepCache,
      emit: (event) => this.#passOn(event),
    });
    try {
      return await work(room);
    } finally {
      await room.remove();
    }
  }

  /**
   * Build once more where path, time zone, locale and umask are others.
   * @returns the files that differ, or why there are none to compare
   */
  async #compare(first: Readonly<Record<string, SealedFile>>): Promise<string[]> {
    return this.#inRoom({ surroundings: OTHER_SURROUNDINGS, suffix: "-in-a-much-longer-folder" }, async (room) => {
      try {
        await install(room.context, [room.target], this.#planOptions);
      } catch (error) {
        this.#context.host.signal.throwIfAborted();
        if (!isFailureOfTool(error)) throw error;
        return [`everything: ${error.message}`];
      }
      const { files: second } = await this.#receiptIn(room);
      const contentOf = (file: SealedFile | undefined): string =>
        file === undefined ? "" : file.kind === "file" ? file.sha256 : `link ${file.target}`;
      const names = new Set([...Object.keys(first), ...Object.keys(second)]);
      return [...names].filter((name) => contentOf(first[name]) !== contentOf(second[name])).toSorted();
    });
  }

  async run(): Promise<MethodRun> {
    const { host } = this.#context;
    let peakBytes = 0;
    let reached: readonly string[] = [];
    const files = await this.#inRoom({ surroundings: USUAL_SURROUNDINGS, suffix: "" }, async (room) => {
      const found = await this.#runAll(room);
      peakBytes = room.peakBytes();
      reached = [...room.observer.seen.reached].toSorted();
      return found;
    });
    const passed = this.#checks.every(({ status }) => status !== "failed");
    let differences: string[] | null = null;
    if (passed && files !== null && this.#options.twice) differences = await this.#compare(files);
    const plan = this.#plan;
    const declared = [
      ...new Set((plan?.what.steps ?? []).flatMap((step) => (step.kind === "run" ? step.network : []))),
    ].toSorted();
    const ms = Math.round(host.monotonicMs() - this.#started);
    const result: VerifiedMethod = {
      name: this.#subject.name,
      version: this.#subject.version,
      method: this.#method,
      platform: platformId(host.facts.platform),
      outcome: passed ? "passed" : "failed",
      why: null,
      digest: plan?.digest ?? null,
      checks: this.#checks,
      ...this.#size,
      peakBytes,
      ms,
      network: { declared, reached },
      reproducible: differences === null ? null : differences.length === 0,
      differences: (differences ?? []).slice(0, MOST_DIFFERENCES).map(escapeUntrusted),
      log: this.#log,
    };
    return { result, attestation: passed && plan !== null ? await this.#attest(plan, result) : null };
  }

  async #attest(plan: Plan, result: VerifiedMethod): Promise<Attestation | null> {
    const { host, ipmVersion } = this.#context;
    const isolation = this.#context.sandboxFor(false).kind;
    if (this.#options.brief === true) return null;
    // What ran without a sandbox is never verified.
    if (isolation === "none") return null;
    // Headers and libraries have no versions of their own that would say something to a reader.
    const tools = plan.requirements.flatMap((requirement) =>
      "tool" in requirement && requirement.found !== null
        ? [[requirement.tool, requirement.found.version] as const]
        : [],
    );
    return {
      name: plan.tool.name,
      version: plan.tool.version,
      method: plan.method.id,
      digest: plan.digest,
      ...attestedSource(plan),
      platform: result.platform,
      distribution: host.facts.distribution,
      tools: Object.fromEntries([...tools, ["git", await host.git.version()], ["ipm", ipmVersion]]),
      isolation,
      time: host.now().toISOString(),
      seconds: Math.ceil(result.ms / 1000),
      bytes: result.bytes,
      peakBytes: result.peakBytes,
      files: result.files,
      network: result.network,
      reproducible: result.reproducible,
      checks: result.checks.filter(({ status }) => status === "passed").map(({ id }) => id),
    };
  }
}

/**
 * Verify one method of one version in clean rooms of its own: plan, build and test, build again, upgrade, roll back,
 * uninstall, collect, and watch what happens besides. What does not hold is in the result.
 * @throws IpmError SANDBOX_FAILED, DISK_FULL, and the abort's own error: then nothing was verified, either way
 */
export async function verifyMethod(
  context: Context,
  subject: VerifySubject,
  method: string,
  options: MethodOptions,
): Promise<MethodRun> {
  return new MethodVerification(context, subject, method, options).run();
}
