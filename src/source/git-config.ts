import path from "node:path";

/** One setting of a configuration file of git: `http.https://example.org/.proxy`. */
export interface GitSetting {
  /** As `git config --list` prints it: section and variable in lower case, the middle part as written. */
  readonly key: string;
  /** Null for a variable without `=`, which git reads as true. */
  readonly value: string | null;
}

/** What of git one source may use; everything else is off. */
export interface GitAccess {
  /** Names of git's transports: `https`, `ssh`, `file`; `http` only where the user's own rewrite leads there. */
  readonly transports: readonly string[];
  /** Folders and files that may belong to somebody else, because the user named them. */
  readonly safeDirectories: readonly string[];
  /** The user typed or configured the source, so credential helpers may be asked. */
  readonly credentials: boolean;
  /** Seconds without a single byte from the server until the transfer is given up. */
  readonly stallSeconds: number;
}

/** A URL after the user's `url.<base>.insteadOf`. */
export interface RewrittenUrl {
  readonly url: string;
  /** True when a rule of the user changed it. */
  readonly rewritten: boolean;
}

const INSTEAD_OF = /^url\.(.+)\.insteadof$/su;
const TAKEN_HTTP = new Set(["proxy", "sslcainfo", "sslcapath"]);

// Findings of fsck that are history, not attacks: old tools wrote such dates, names and modes, and the commit is pinned.
const HARMLESS = [
  "badDate",
  "badDateOverflow",
  "badEmail",
  "badName",
  "badTagName",
  "badTimezone",
  "missingEmail",
  "missingNameBeforeEmail",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "missingTaggerEntry",
  "multipleAuthors",
  "zeroPaddedDate",
  "zeroPaddedFilemode",
];

/** Read `git config --list -z`: entries end in NUL, key and value are apart by the first line feed. */
export function parseGitSettings(output: string): GitSetting[] {
  return output
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => {
      const end = entry.indexOf("\n");
      return end < 0 ? { key: entry, value: null } : { key: entry.slice(0, end), value: entry.slice(end + 1) };
    });
}

/** The same form again, for `parseGitSettings`. */
export function renderGitSettings(settings: readonly GitSetting[]): string {
  return settings.map(({ key, value }) => `${value === null ? key : `${key}\n${value}`}\0`).join("");
}

/** Apply `url.<base>.insteadOf` as git does: the longest matching prefix wins, once. */
export function rewriteUrl(url: string, settings: readonly GitSetting[]): RewrittenUrl {
  let best = { prefix: "", base: "" };
  for (const { key, value } of settings) {
    const base = INSTEAD_OF.exec(key)?.[1];
    if (base === undefined || value === null || value === "") continue;
    if (url.startsWith(value) && value.length > best.prefix.length) best = { prefix: value, base };
  }
  return best.prefix === ""
    ? { url, rewritten: false }
    : { url: best.base + url.slice(best.prefix.length), rewritten: true };
}

function quote(value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** One setting as a configuration file has it; any text is quoted as git reads it back. */
export function renderSetting(section: string, middle: string, variable: string, value: string | null): string {
  const name = middle === "" ? section : `${section} "${middle.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return `[${name}]\n\t${variable}${value === null ? "" : ` = ${quote(value)}`}\n`;
}

/** `http.https://example.org/.proxy` -> its three parts; the middle one may hold dots. */
function partsOf(key: string): { section: string; middle: string; variable: string } {
  const first = key.indexOf(".");
  const last = key.lastIndexOf(".");
  return {
    section: key.slice(0, first),
    middle: first === last ? "" : key.slice(first + 1, last),
    variable: key.slice(last + 1),
  };
}

function isTaken(key: string, credentials: boolean): boolean {
  const { section, variable } = partsOf(key);
  if (section === "http") return TAKEN_HTTP.has(variable);
  return credentials && section === "credential";
}

/** True for a setting of the user that `rewriteUrl` or `buildGitConfig` looks at; all others may hold what is none of ipm's business. */
export function isOfUse(key: string): boolean {
  return INSTEAD_OF.test(key) || isTaken(key, true);
}

/**
 * The text of the configuration file that one source's calls of git read. From the user's settings it takes proxies and
 * certificate authorities, and credential helpers only for a source that the user named (design, section 6.2).
 * @param home the user's home, for values that begin with `~/`
 */
export function buildGitConfig(access: GitAccess, settings: readonly GitSetting[], home: string): string {
  const lines = [
    "# Written by ipm for its own calls of git; removed and written again as needed.\n",
    "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tattributesFile = /dev/null\n\texcludesFile = /dev/null\n",
    '\taskPass = ""\n\tautocrlf = false\n\tsymlinks = true\n\tfileMode = true\n\tignoreCase = false\n',
    "\tprotectHFS = true\n\tprotectNTFS = true\n\tquotePath = true\n\tlogAllRefUpdates = false\n\tcommitGraph = false\n",
    // Never a host key that was not seen before: asking is not possible here, and known_hosts is not ipm's to write.
    "\tsshCommand = ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15 -oServerAliveCountMax=4\n",
    '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[submodule]\n\trecurse = false\n[init]\n\ttemplateDir = ""\n',
    "[advice]\n\tdetachedHead = false\n[pack]\n\twriteReverseIndex = false\n[index]\n\tversion = 2\n\tthreads = 1\n",
    "[transfer]\n\tfsckObjects = true\n\tbundleURI = false\n\tadvertiseSID = false\n[fetch]\n\twriteCommitGraph = false\n",
    `[fetch "fsck"]\n${HARMLESS.map((id) => `\t${id} = ignore\n`).join("")}`,
    // A redirect would reach a repository that nobody reviewed: a renamed repository is a change of the manifest.
    `[http]\n\tfollowRedirects = false\n\tlowSpeedLimit = 1\n\tlowSpeedTime = ${access.stallSeconds}\n`,
    '[credential]\n\thelper = ""\n\tinteractive = false\n',
    "[protocol]\n\tallow = never\n",
    ...access.transports.map((transport) => `[protocol "${transport}"]\n\tallow = always\n`),
    ...access.safeDirectories.map((folder) => renderSetting("safe", "", "directory", folder)),
  ];
  for (const { key, value } of settings) {
    if (!isTaken(key, access.credentials)) continue;
    const { section, middle, variable } = partsOf(key);
    const isPath = section === "http" && variable.startsWith("sslca");
    const absolute = isPath && value !== null && value.startsWith("~/") ? path.join(home, value.slice(2)) : value;
    lines.push(renderSetting(section, middle, variable, absolute));
  }
  return lines.join("");
}

/** The transport that git would use for a URL or path, or null for a helper (`ext::`), `git://` and the like. */
export function transportOf(url: string): string | null {
  if (url.startsWith("-")) return null;
  const scheme = /^([A-Za-z0-9]+):\/\//u.exec(url)?.[1];
  if (scheme !== undefined) return ["https", "http", "ssh", "file"].includes(scheme) ? scheme : null;
  if (url.includes("::")) return null;
  if (path.isAbsolute(url)) return "file";
  return /^[^/:-][^/:]*:./u.test(url) ? "ssh" : null;
}

/** The local path of a `file` URL or a plain path, for `safe.directory`. */
export function localPathOf(url: string): string {
  return url.startsWith("file://") ? decodeURIComponent(url.slice("file://".length)) : url;
}
