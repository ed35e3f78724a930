/** Branded texts: parsed once at the edge, then trusted. A function that takes a `CommitSha` cannot receive a branch name. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ToolName = Branded<"ToolName">;
export type CommitSha = Branded<"CommitSha">;
export type TreeSha = Branded<"TreeSha">;
export type PlanDigest = Branded<"PlanDigest">;
/** `<version>-<digest12>`, the folder of a store entry below `store/<name>/`. */
export type EntryFolder = Branded<"EntryFolder">;

const TOOL_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/u;
// Windows cannot open these in any folder, whatever the extension: a registry must stay usable there.
const RESERVED_NAMES: ReadonlySet<string> = new Set(["con", "prn", "aux", "nul"]);
const RESERVED_BEFORE_DIGIT: ReadonlySet<string> = new Set(["com", "lpt"]);
const LAUNCHER_NAME = /^[A-Za-z0-9_][A-Za-z0-9._+@-]{0,63}$/u;
const SHA = /^[0-9a-f]{40}$/u;
const DIGEST = /^[0-9a-f]{64}$/u;
const VERSION = /^[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?$/u;

/** True for a name that a registry entry may have: lower case, digits, `. _ -`, 1 to 64 characters, no `..`. */
export function isToolName(text: string): text is ToolName {
  return TOOL_NAME.test(text) && !text.includes("..") && !isReserved(text);
}

function isReserved(text: string): boolean {
  const dot = text.indexOf(".");
  const base = dot < 0 ? text : text.slice(0, dot);
  if (base.length !== 4) return RESERVED_NAMES.has(base);
  const last = base.charAt(3);
  return RESERVED_BEFORE_DIGIT.has(base.slice(0, 3)) && last >= "0" && last <= "9";
}

/** True for a command name that may become a file in the profile's `bin`. */
export function isLauncherName(text: string): boolean {
  return LAUNCHER_NAME.test(text) && !text.includes("..");
}

/** True for a version as a manifest may write it; it becomes part of a folder's name. */
export function isVersion(text: string): boolean {
  return VERSION.test(text) && !text.includes("..");
}

/** True for a full, lower-case commit id. */
export function isCommitSha(text: string): text is CommitSha {
  return SHA.test(text);
}

/** True for a full, lower-case tree id. */
export function isTreeSha(text: string): text is TreeSha {
  return SHA.test(text);
}

/** True for a plan digest: 64 hex digits of sha256. */
export function isPlanDigest(text: string): text is PlanDigest {
  return DIGEST.test(text);
}
