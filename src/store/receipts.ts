import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import type { Host } from "../core/host.ts";
import { isLauncherName, isPlanDigest } from "../core/ids.ts";
import type { Plan } from "../plan/plan.ts";
import { REQUIREMENT_KINDS } from "../plan/requirements.ts";
import { type EntryId, type Layout, entryPaths, formatEntryId, parseEntryId } from "./layout.ts";
import { saysWhatItInstalls } from "./readable-plan.ts";

/** Version of the receipt's format; a higher one was written by a newer ipm. */
export const RECEIPT_SCHEMA = 1;

/** What was installed, from what, by which plan: written last, the proof that an entry is complete. */
export interface Receipt {
  readonly schema: typeof RECEIPT_SCHEMA;
  /** `<name>/<folder>`: a receipt that was copied elsewhere proves nothing. */
  readonly entry: string;
  readonly plan: Plan;
  readonly ipm: string;
  /** ISO times of the start of the build and of the seal. */
  readonly started: string;
  readonly finished: string;
  readonly sandbox: string;
  /** The step log, relative to the data home. */
  readonly log: string;
  /** Bytes and number of files of the prefix. */
  readonly bytes: number;
  readonly files: number;
  /** sha256 of `files.json`. */
  readonly filesDigest: string;
  readonly launchers: readonly SealedLauncher[];
  /** Path in the profile's `share` to a path in the prefix's. */
  readonly share: Readonly<Record<string, string>>;
}

/** A launcher with what was resolved at the seal; paths in the prefix are relative to it. */
export interface SealedLauncher {
  readonly name: string;
  readonly file: string | null;
  readonly run: readonly [string, ...string[]] | null;
  readonly interpreter: readonly [string, ...string[]] | null;
  readonly env: Readonly<Record<string, string>>;
}

export type ReceiptState =
  | { readonly state: "complete"; readonly receipt: Receipt }
  | { readonly state: "absent" }
  | { readonly state: "newer" }
  | { readonly state: "damaged"; readonly why: string };

/** True for a relative path in normal form that stays below where it starts. */
function isInside(file: string): boolean {
  return (
    file !== "" &&
    !path.posix.isAbsolute(file) &&
    path.posix.normalize(file) === file &&
    !file.startsWith("..") &&
    !file.includes("\0")
  );
}

function isWords(value: unknown): boolean {
  return (
    value === null || (Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string"))
  );
}

function isSealedLauncher(value: unknown): value is SealedLauncher {
  if (!isRecord(value)) return false;
  const { name, file, run, interpreter, env } = value;
  return (
    typeof name === "string" &&
    isLauncherName(name) &&
    (file === null || (typeof file === "string" && isInside(file))) &&
    isWords(run) &&
    isWords(interpreter) &&
    isRecord(env) &&
    Object.values(env).every((text) => typeof text === "string")
  );
}

/** What ipm reads of the plan in a receipt; the rest of it is for people. */
function isReadablePlan(plan: Record<string, unknown>): boolean {
  const { origin, requirements } = plan;
  return (
    saysWhatItInstalls(plan) &&
    isRecord(origin) &&
    typeof origin["source"] === "string" &&
    Array.isArray(requirements) &&
    requirements.every(
      (requirement) =>
        isRecord(requirement) &&
        REQUIREMENT_KINDS.some((kind) => typeof requirement[kind] === "string") &&
        (requirement["version"] === null || typeof requirement["version"] === "string"),
    )
  );
}

/** What launchers are made of must be what ipm wrote: names of variables, and texts. */
function hasReadableInputs({ inputs }: Record<string, unknown>): boolean {
  if (inputs === undefined) return true;
  return (
    Array.isArray(inputs) &&
    inputs.every(
      (input) =>
        isRecord(input) &&
        typeof input["env"] === "string" &&
        /^[A-Za-z_][A-Za-z0-9_]*$/u.test(input["env"]) &&
        typeof input["for"] === "string" &&
        typeof input["secret"] === "boolean" &&
        (input["value"] === null || typeof input["value"] === "string"),
    )
  );
}

/** Why a parsed receipt cannot be believed for this entry, or undefined when it can. */
function doubtAbout(value: Record<string, unknown>, id: EntryId): string | undefined {
  if (value["entry"] !== formatEntryId(id)) return "it belongs to another entry";
  const plan = value["plan"];
  if (!isRecord(plan) || !isRecord(plan["what"]) || !isRecord(plan["tool"])) return "it holds no plan";
  const digest = plan["digest"];
  if (typeof digest !== "string" || !isPlanDigest(digest)) return "its plan digest is not one";
  if (!id.folder.includes(`-${digest.slice(0, 12)}`)) return "its plan digest is not the folder's";
  if (plan["tool"]["name"] !== id.name) return "it is about another tool";
  if (!isReadablePlan(plan)) return "its plan cannot be read";
  const { launchers, share, finished, filesDigest, bytes, log } = value;
  const texts = [finished, filesDigest, log];
  if (!texts.every((text) => typeof text === "string") || typeof bytes !== "number") {
    return "it is incomplete";
  }
  if (!hasReadableInputs(plan["what"])) return "its inputs cannot be read";
  const { persist } = plan["what"];
  if (
    persist !== undefined &&
    !(Array.isArray(persist) && persist.every((at) => typeof at === "string" && isInside(at)))
  )
    return "what it persists leaves the prefix";
  if (!Array.isArray(launchers) || !launchers.every(isSealedLauncher)) return "its launchers cannot be read";
  if (
    !isRecord(share) ||
    !Object.entries(share).every(([to, from]) => isInside(to) && typeof from === "string" && isInside(from))
  ) {
    return "its shared files leave the prefix";
  }
  return undefined;
}

/** The plan inside is taken as it is: what acts on it (removal, launchers) uses the entry's id and the checked fields. */
function isReceiptOf(value: Record<string, unknown>, id: EntryId): value is Record<string, unknown> & Receipt {
  return doubtAbout(value, id) === undefined;
}

/** Read the receipt of an entry. Never throws for its content: a damaged one is a value. */
export async function readReceipt(host: Host, layout: Layout, id: EntryId): Promise<ReceiptState> {
  const text = await host.files.readText(entryPaths(layout, id).receipt);
  if (text === undefined) return { state: "absent" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { state: "damaged", why: "it is not JSON" };
  }
  if (!isRecord(value)) return { state: "damaged", why: "it is not an object" };
  if (typeof value["schema"] === "number" && value["schema"] > RECEIPT_SCHEMA) return { state: "newer" };
  if (value["schema"] !== RECEIPT_SCHEMA) return { state: "damaged", why: "it names no known schema" };
  return isReceiptOf(value, id)
    ? { state: "complete", receipt: value }
    : { state: "damaged", why: doubtAbout(value, id) ?? "" };
}

/** The receipt of an entry that must be complete. @throws IpmError STATE_DAMAGED, STATE_NEWER */
export async function demandReceipt(host: Host, layout: Layout, id: EntryId): Promise<Receipt> {
  const found = await readReceipt(host, layout, id);
  if (found.state === "complete") return found.receipt;
  if (found.state === "newer") {
    throw new IpmError("STATE_NEWER", `the receipt of ${formatEntryId(id)} was written by a newer ipm`);
  }
  throw new IpmError(
    "STATE_DAMAGED",
    `the receipt of ${formatEntryId(id)} cannot be used: ${found.state === "absent" ? "it is missing" : found.why}`,
    {
      hint: `ipm reinstall ${id.name}`,
      data: { path: entryPaths(layout, id).receipt },
    },
  );
}

/** Every folder of the store that looks like an entry, complete or not, sorted. */
export async function listEntryIds(host: Host, layout: Layout): Promise<EntryId[]> {
  const ids: EntryId[] = [];
  for (const name of await host.files.list(layout.store)) {
    const tool = path.join(layout.store, name);
    // A link is nothing that ipm made: what is behind it is not looked at, and never removed.
    if ((await host.files.facts(tool))?.kind !== "folder") continue;
    for (const folder of await host.files.list(tool)) {
      const id = parseEntryId(`${name}/${folder}`);
      if (id !== undefined && (await host.files.facts(path.join(tool, folder)))?.kind === "folder") ids.push(id);
    }
  }
  return ids;
}
