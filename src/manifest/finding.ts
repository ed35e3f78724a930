import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { LintCode } from "./lint/lint-codes.ts";

interface FindingEntry {
  /** What is wrong, for the reference page. */
  readonly means: string;
  /** What to write instead. */
  readonly cure: string;
}

/**
 * Every problem that reading a manifest or a `registry.yaml` can report. A code is API: never reused, never renamed.
 * The table at the end of `docs/manifest.md` is generated from here.
 */
export const FINDING_CODES = {
  FILE_TOO_LARGE: { means: "The file is larger than 256 KiB.", cure: "Take out what is not part of the manifest." },
  NOT_UTF8: { means: "The file is not UTF-8.", cure: "Save it as UTF-8; a byte order mark and CRLF are fine." },
  UNSAFE_CHARACTER: {
    means: "A control, bidirectional or invisible character, in the file or behind an escape in a quoted text.",
    cure: "Take the character out; it would let the file read differently from what it does.",
  },
  YAML_SYNTAX: {
    means: "The file is not valid YAML.",
    cure: "Mend the line; a text with `: `, ` #` or a leading `>` or `*` needs quotes.",
  },
  YAML_REFERENCE: {
    means: "An anchor (`&x`), an alias (`*x`) or a merge key (`<<`).",
    cure: "Write the value where it is used.",
  },
  YAML_TAG: {
    means: "An explicit tag (`!!binary`).",
    cure: "Take the tag out: the schema knows the type of each key.",
  },
  YAML_DIRECTIVE: { means: "A directive line (`%YAML 1.1`).", cure: "Take the line out." },
  YAML_DOCUMENTS: { means: "More than one document (`---`) in the file.", cure: "One file, one tool." },
  TOO_DEEP: { means: "Lists and maps are nested more than 32 levels deep.", cure: "No manifest needs that." },
  TOO_MANY_PROBLEMS: { means: "Only the first 100 problems are listed.", cure: "Mend these first." },
  DUPLICATE_KEY: { means: "A key is written twice, perhaps quoted differently.", cure: "Keep one of the two." },
  FORBIDDEN_KEY: { means: "`__proto__`, `constructor` or `prototype` as a key.", cure: "Take it out." },
  UNKNOWN_KEY: { means: "A key that the schema does not know.", cure: "Use the suggested key or take it out." },
  MISSING_KEY: { means: "A key that must be there is not.", cure: "Add it." },
  EMPTY_VALUE: {
    means: "A key without a value, or with `null` or `~`.",
    cure: "Leave the key out, or quote the text if it is meant.",
  },
  WRONG_TYPE: {
    means: "A list where a text belongs, a text where a map belongs, and so on.",
    cure: "Write the kind of value that the message names.",
  },
  TOO_LONG: { means: "A text is longer than the key allows.", cure: "Shorten it." },
  TOO_MANY: { means: "A list or map has more members than allowed.", cure: "Take some out." },
  TOO_FEW: { means: "A list, map or text is empty.", cure: "Leave the key out, or fill it." },
  NOT_ONE_LINE: { means: "A text that must be one line has a line break.", cure: "Use `>-` or one line." },
  INVALID_VALUE: { means: "A value that the key does not take.", cure: "The message lists what it takes." },
  SCHEMA_UNSUPPORTED: {
    means: "`schema` names a format that this ipm does not read.",
    cure: "Write `schema: ipm/v1`; a higher number needs a newer ipm.",
  },
  INVALID_NAME: {
    means: "Not a name that an entry may have.",
    cure: "Lower case letters, digits and `. _ -`, at most 64 characters.",
  },
  INVALID_LAUNCHER: {
    means: "Not a name that a command may have.",
    cure: "Letters, digits and `. _ + @ -`, at most 64 characters.",
  },
  PROTECTED_LAUNCHER: {
    means: "A command such as `sudo`, `ls` or `git` would be replaced.",
    cure: "Give the command another name.",
  },
  INVALID_VERSION: {
    means: "Not a version: it becomes part of a folder's name.",
    cure: "Letters, digits and `. _ + -`, at most 64 characters.",
  },
  INVALID_RANGE: { means: "Not a range of versions.", cure: "Such as `>=20` or `>=3.9 <4`, in quotes." },
  INVALID_PIN: {
    means: "Not a full, lower-case commit, tree or sha256.",
    cure: "Write all hex digits; a branch or a short id is not a pin.",
  },
  INVALID_REF: { means: "Not a full name of a tag or branch.", cure: "Such as `refs/tags/v1.2.0`." },
  INVALID_URL: {
    means: "A URL with another transport than allowed, with credentials, or not in normal form.",
    cure: "Write the URL exactly as the message shows it.",
  },
  INVALID_PATH: {
    means: "A path that is absolute, leaves its folder, or is not in normal form.",
    cure: "Such as `bin/rc`: relative, `/` between the parts, no `.` or `..`.",
  },
  INVALID_ENV_NAME: {
    means: "Not a name of an environment variable.",
    cure: "Letters, digits and `_`, not beginning with a digit.",
  },
  DENIED_ENV_NAME: {
    means: "A variable that would change how ipm, the shell or the loader works.",
    cure: "Take it out; put the value on the command line of the step.",
  },
  INVALID_PATTERN: { means: "Not a regular expression.", cure: "JavaScript's syntax, with the `m` and `u` flags." },
  INVALID_DURATION: { means: "Not a duration.", cure: "Such as `90s`, `10m` or `2h`, at most 24 hours." },
  INVALID_DATE: { means: "Not a date.", cure: "Such as `2026-11-01`." },
  INVALID_PLATFORM: {
    means: "Not a platform.",
    cure: "Such as `linux`, `linux-x64`, `linux-x64-glibc` or `macos-arm64`.",
  },
  INVALID_NETWORK: {
    means: "Neither an ecosystem nor a host name.",
    cure: "One of npm, pypi, crates, go, maven, or a name such as `example.org`.",
  },
  INVALID_LICENSE: { means: "Not an SPDX licence expression.", cure: "Such as `MIT` or `Apache-2.0 OR MIT`." },
  UNKNOWN_PLACEHOLDER: {
    means: "A placeholder that ipm does not know.",
    cure: "`{version}`, `{commit}` and `{prefix}` are all there are.",
  },
  PLACEHOLDER_NOT_ALLOWED: {
    means: "A placeholder where none is filled in.",
    cure: "They work in `expect`, `with`, `env` and `elsewhere`; in `run` it is `$IPM_VERSION` and `$IPM_PREFIX`.",
  },
  UNKNOWN_RECIPE: { means: "`uses` names no recipe.", cure: "Use the suggested recipe, or `run`." },
  DUPLICATE_VERSION: { means: "Two entries of `versions` have the same version.", cure: "Keep one." },
  UNKNOWN_VERSION: {
    means: "`since` or `until` names no entry of `versions`, or they exclude each other.",
    cure: "Name a version of the list.",
  },
  DUPLICATE_METHOD: { means: "Two methods have the same id.", cure: "Give one of them another `id`." },
  DUPLICATE_NAME: { means: "A name is listed twice, or is the entry's own.", cure: "Keep one." },
  CONFLICTING_KEYS: {
    means: "Keys that exclude each other, or one that needs another.",
    cure: "The message says which.",
  },
  NEEDLESS_ENTRY: { means: "Something is written twice and does no harm.", cure: "Take one out." },
  // A registry as a whole (src/registry): the place of the file and its names beside the others.
  NOT_A_FILE: {
    means: "A link, folder or device where a plain file or folder belongs.",
    cure: "Put the file itself there; links are never followed.",
  },
  MANIFEST_MISSING: {
    means: "A folder in `packages/` without a `manifest.yaml`.",
    cure: "Add the manifest or remove the folder.",
  },
  NAME_MISMATCH: {
    means: "The manifest's `name` is not that of its folder.",
    cure: "Make them equal: `packages/NAME/manifest.yaml`.",
  },
  NAME_TAKEN: {
    means: "An alias or former name is already a name of another entry.",
    cure: "Take it out, or agree on it with that entry's maintainers.",
  },
  NAME_REMOVED: {
    means: "A name that was taken out of the registry; it is never given away again.",
    cure: "Choose another name.",
  },
  NAME_SIMILAR: {
    means: "A name that can be mistaken for that of another entry.",
    cure: "Choose another name, or let the registry's maintainers accept the pair.",
  },
  ATTESTATION_INVALID: {
    means: "A file in `attestations/` is not of a verification that passed, or not about what its path says.",
    cure: "Remove it and run `ipm verify` again; it is never written by hand.",
  },
  ATTESTATION_CONTRIBUTED: {
    means: "A contribution brings, changes or removes an attestation.",
    cure: "Leave `attestations/` as it is: the registry's own verification writes it after the merge.",
  },
  BUNDLE_MISSING: {
    means: "`source.bundle` names no plain file of the registry.",
    cure: "Add the bundle, or correct the path.",
  },
  LOCK_MISSING: {
    means: "A version's `lock` is no folder of the entry with the files of its ecosystem.",
    cure: "Run `ipm bump NAME VERSION`, which writes it.",
  },
  LOCK_WRONG: {
    means: "A version's lock is not what the manifest pins, lacks a hash, or holds an address.",
    cure: "Run `ipm bump NAME VERSION`, which writes it anew.",
  },
} as const satisfies Record<string, FindingEntry>;

export type FindingCode = keyof typeof FINDING_CODES;

/** A problem at a place of a file. Plain JSON; every text in it is safe to print. */
export interface Finding {
  readonly code: FindingCode | LintCode;
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
  /** `ipm lint --fix` mends it without being told more. */
  readonly fixable?: true;
  /** The line (or the part of a long line) around the place. */
  readonly sourceLine: string;
  /** What to underline in `sourceLine`: an offset from 0 and a length of at least 1. */
  readonly caret: { readonly start: number; readonly length: number };
  /** Of a finding about the file as a whole: the text in it that it is about, by which `placeFinding` finds its line. */
  readonly about?: string;
}

/**
 * `file:line:column: code: message`, the offending line (where there is one) with a caret below the place, and the hint.
 * Several lines, no line break at the end, no colour.
 */
export function formatFinding(finding: Finding): string {
  const severity = finding.severity === "warning" ? "warning: " : "";
  const number = String(finding.line);
  const margin = " ".repeat(number.length);
  const place = `${escapeUntrusted(finding.file)}:${finding.line}:${finding.column}`;
  const lines = [`${place}: ${severity}${finding.code}: ${finding.message}`];
  if (finding.sourceLine !== "") {
    const carets = " ".repeat(finding.caret.start) + "^".repeat(finding.caret.length);
    lines.push(`  ${number} | ${finding.sourceLine}`, `  ${margin} | ${carets}`);
  }
  if (finding.hint !== undefined) lines.push(`  ${margin} = ${finding.hint}`);
  return lines.join("\n");
}
