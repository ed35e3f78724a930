import { firstUnsafeCharacter } from "./untrusted-text.ts";

/** How git reaches a repository. Anything else (`http`, `git`, `ext`, `fd`, plain paths) is never a source. */
export type GitTransport = "https" | "ssh" | "file";

/** A repository's address that was in normal form: what git is given is the very text that a reviewer saw. */
export interface GitUrl {
  readonly url: string;
  readonly transport: GitTransport;
  /** Lower case; empty for `file`. */
  readonly host: string;
  /** Null for the transport's own port. */
  readonly port: number | null;
  /** Decoded, without the leading `/` (with it for `file`: an absolute path). */
  readonly path: string;
}

/** Why a text is not a `GitUrl`. `message` completes "the URL …"; `suggestion` is a URL that would be accepted. */
export interface GitUrlProblem {
  readonly kind: "transport" | "credentials" | "form";
  readonly message: string;
  readonly suggestion?: string;
}

export type GitUrlResult =
  | { readonly ok: true; readonly value: GitUrl }
  | { readonly ok: false; readonly problem: GitUrlProblem };

const MAX_URL = 2_000;
// The forges that treat owner and repository without regard to case: their look-up keys are lower-cased.
const CASELESS_HOSTS = new Set(["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"]);
const OWNER_REPO = /^(?<owner>[A-Za-z0-9][A-Za-z0-9_-]{0,38})\/(?<repo>[A-Za-z0-9._-]{1,100})$/u;
const SCP_LIKE = /^(?<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@(?<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?<path>[^/:\\][^:\\]*)$/u;
const HOST = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?$|^\[[0-9a-f:.]+\]$/u;
const SSH_USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/u;

function refuse(kind: GitUrlProblem["kind"], message: string, suggestion?: string): GitUrlResult {
  return { ok: false, problem: suggestion === undefined ? { kind, message } : { kind, message, suggestion } };
}

/** What is wrong with a decoded path, or undefined: each part must be one that cannot become a flag or leave its place. */
function pathProblem(path: string): string | undefined {
  if (path === "") return "names no repository";
  for (const part of path.split("/")) {
    if (part === "") return "has an empty part or a trailing slash in its path";
    if (part === "." || part === "..") return `has "${part}" in its path`;
    if (part.startsWith("-")) return "has a part that begins with a dash";
  }
  return undefined;
}

function decodePath(encoded: string): string | undefined {
  // An encoded slash, backslash or percent sign would read differently after another round of decoding.
  if (/%(?:2f|5c|25)/iu.test(encoded) || /%[0-9A-F]?[a-f]/u.test(encoded)) return undefined;
  try {
    const decoded = decodeURIComponent(encoded);
    return firstUnsafeCharacter(decoded) === undefined && !decoded.includes("\t") ? decoded : undefined;
  } catch {
    return undefined;
  }
}

function parseScpLike(text: string): GitUrlResult | undefined {
  const groups = SCP_LIKE.exec(text)?.groups;
  const host = groups?.["host"];
  const path = groups?.["path"];
  if (host === undefined || path === undefined) return undefined;
  if (!HOST.test(host)) return refuse("form", "has a host name that is not in lower case");
  const problem = pathProblem(path);
  if (problem !== undefined) return refuse("form", problem);
  return { ok: true, value: { url: text, transport: "ssh", host, port: null, path } };
}

function parseFileUrl(text: string): GitUrlResult {
  const encoded = text.slice("file://".length);
  if (!encoded.startsWith("/")) return refuse("form", "is a file URL that names a host or a relative path");
  const path = decodePath(encoded);
  if (path === undefined) return refuse("form", "has a path with characters that are not allowed");
  const problem = pathProblem(path.slice(1));
  if (problem !== undefined) return refuse("form", problem);
  if (new URL(text).href !== text) return refuse("form", "is not in normal form", new URL(text).href);
  return { ok: true, value: { url: text, transport: "file", host: "", port: null, path } };
}

/**
 * Check the address of a git repository. `new URL` repairs a dozen odd spellings without a word, so only a text that is
 * already what the parser would make of it passes: no user information (ssh may name a user), no query, no fragment, no
 * encoded slash, no part that begins with a dash. `git@host:owner/repo` is the one form beside URLs.
 * Which transport is allowed where is the caller's decision.
 */
export function parseGitUrl(text: string): GitUrlResult {
  if (text.length > MAX_URL) return refuse("form", `is longer than ${MAX_URL} characters`);
  const unsafe = firstUnsafeCharacter(text);
  if (unsafe !== undefined || /\s/u.test(text)) return refuse("form", `holds ${unsafe ?? "white space"}`);
  if (text.startsWith("-")) return refuse("form", "begins with a dash");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/|:)/u.exec(text)?.[1];
  if (scheme === undefined) return parseScpLike(text) ?? refuse("form", "is not of the form https://host/path");
  if (text.includes("\\")) return refuse("form", "holds a backslash");
  if (scheme === "file" && text.startsWith("file://")) return parseFileUrl(text);
  if ((scheme !== "https" && scheme !== "ssh") || !text.startsWith(`${scheme}://`)) {
    const https = scheme === "http" && URL.canParse(text) ? `https${text.slice(4)}` : undefined;
    return refuse("transport", `uses "${scheme}", which is not allowed`, https);
  }
  return parseNetworkUrl(text, scheme);
}

function parseNetworkUrl(text: string, scheme: "https" | "ssh"): GitUrlResult {
  if (!URL.canParse(text)) return refuse("form", "cannot be parsed");
  const url = new URL(text);
  if (url.password !== "" || (scheme === "https" && url.username !== "")) {
    url.username = "";
    url.password = "";
    return refuse("credentials", "carries a user name or password", url.href);
  }
  if (url.username !== "" && !SSH_USER.test(url.username)) return refuse("form", "has an unusual user name");
  if (url.search !== "" || url.hash !== "" || /[?#]/u.test(text)) return refuse("form", "has a query or a fragment");
  if (url.href !== text) return refuse("form", "is not in normal form", url.href);
  // For ssh the parser leaves the host as written.
  if (!HOST.test(url.hostname)) return refuse("form", "has an unusual host name");
  const path = decodePath(url.pathname);
  if (path === undefined) return refuse("form", "has a path with characters that are not allowed");
  const problem = pathProblem(path.slice(1));
  if (problem !== undefined) return refuse("form", problem);
  const port = url.port === "" || (scheme === "ssh" && url.port === "22") ? null : Number(url.port);
  return { ok: true, value: { url: text, transport: scheme, host: url.hostname, port, path: path.slice(1) } };
}

/**
 * The identity of a repository for look-ups: `github.com/owner/repo` for every way to write that repository (https, ssh,
 * with or without `.git`); null when the text is no `GitUrl`. Lower-cased where the forge ignores case.
 */
export function sourceKey(text: string): string | null {
  const result = parseGitUrl(text);
  if (!result.ok) return null;
  const { transport, host, port, path } = result.value;
  const bare = path.endsWith(".git") && !path.endsWith("/.git") ? path.slice(0, -".git".length) : path;
  if (transport === "file") return `file:${bare}`;
  const place = port === null ? host : `${host}:${port}`;
  return CASELESS_HOSTS.has(host) ? `${place}/${bare}`.toLowerCase() : `${place}/${bare}`;
}

/** The URL of `owner/repo`, which always means the forge: `https://github.com/owner/repo.git`; null for any other text. */
export function forgeUrl(text: string): string | null {
  const groups = OWNER_REPO.exec(text)?.groups;
  const owner = groups?.["owner"];
  const repo = groups?.["repo"]?.replace(/\.git$/u, "");
  if (owner === undefined || repo === undefined || /^\.*$/u.test(repo) || repo.startsWith("-")) return null;
  return `https://github.com/${owner}/${repo}.git`;
}

/** True for a branch, tag or full ref that git would accept (git-check-ref-format(1)) and that can never be a flag. */
export function isRefName(text: string): boolean {
  if (text.length === 0 || text.length > 250 || text.startsWith("-") || text === "@") return false;
  // oxlint-disable-next-line no-control-regex -- git refuses them, and so must this
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$/u.test(text)) return false;
  if (firstUnsafeCharacter(text) !== undefined) return false;
  return text.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}
