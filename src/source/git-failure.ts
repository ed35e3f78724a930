import { IpmError } from "../core/errors.ts";
import type { GitResult } from "../core/host.ts";
import { escapeUntrusted, redactCredentials, shownUrl } from "../core/untrusted-text.ts";
import type { SourceLimits } from "./limits.ts";

const MAX_WORDS = 600;

/** Git's own words, fit for a message: its errors without the progress, on one line, escaped, no credentials. */
export function gitWords(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/u).filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /^(?:fatal|error|remote: (?:fatal|error|ERROR))\b/u.test(line));
  const chosen = (errors.length > 0 ? errors : lines.slice(-3)).map((line) => escapeUntrusted(redactCredentials(line)));
  const text = chosen.join("; ");
  return text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS)}…` : text;
}

/** True when the server will not hand out a commit by its id, or knows no shallow transfers: ask for everything then. */
export function refusesShallow(stderr: string): boolean {
  return /not our ref|unadvertised object|does not support (?:shallow|--depth)|shallow capabilities/iu.test(stderr);
}

/** True when a ref that was asked for is not there. */
export function lacksRef(stderr: string): boolean {
  return /couldn't find remote ref/u.test(stderr);
}

interface Known {
  readonly pattern: RegExp;
  readonly code: "FETCH_FAILED" | "SOURCE_REFUSED" | "SOURCE_UNSAFE" | "DISK_FULL" | "IO_FAILED";
  readonly message: (place: string) => string;
  readonly hint: string;
}

/** git's own words for a full disk. */
const NO_SPACE = /no space left on device|disk quota exceeded|out of disk ?space/iu;

/** True when git failed for want of space; it does not always say so. */
export function saysDiskFull(stderr: string): boolean {
  return NO_SPACE.test(stderr);
}

const KNOWN: readonly Known[] = [
  {
    pattern: NO_SPACE,
    code: "DISK_FULL",
    message: (place) => `no space left while fetching ${place}`,
    hint: "free some space (ipm gc gives back what ipm no longer needs), then run the command again",
  },
  {
    // A full disk as well, in some of git's words; or a cache that may not be written.
    pattern: /couldn't write|unable to write|unable to create|failed to write|write error/iu,
    code: "IO_FAILED",
    message: (place) => `git could not write what it fetched from ${place}`,
    hint: "look whether the disk of ipm's cache is full or may not be written",
  },
  {
    pattern: /fsck error|error: object [0-9a-f]{40}: /iu,
    code: "SOURCE_UNSAFE",
    message: (place) => `${place} holds an object that git's own check refuses`,
    hint: "tell the tool's maintainers; nothing was written",
  },
  {
    pattern:
      /terminal prompts disabled|could not read (?:username|password)|authentication failed|returned error: 40[13]/iu,
    code: "FETCH_FAILED",
    message: (place) => `${place} asks for a password: the repository is private or does not exist`,
    hint: "check the address; for a private repository configure a git credential helper and name the URL yourself",
  },
  {
    pattern: /host key verification failed/iu,
    code: "FETCH_FAILED",
    message: (place) => `the ssh host key of ${place} is not known`,
    hint: "connect once by hand (ssh -T git@HOST) and check the key, then run the command again",
  },
  {
    pattern: /permission denied \(publickey/iu,
    code: "FETCH_FAILED",
    message: (place) => `${place} refused the ssh key`,
    hint: "load the key into your ssh agent (ssh-add), then run the command again",
  },
  {
    pattern: /returned error: 30\d|unable to update url base from redirection|redirect(?:s|ion)? (?:is|are) disabled/iu,
    code: "SOURCE_REFUSED",
    message: (place) => `${place} redirects to another address, which ipm does not follow`,
    hint: "open the address in a browser and use the one that it leads to",
  },
  {
    pattern: /transport '[^']*' not allowed/iu,
    code: "SOURCE_REFUSED",
    message: (place) => `${place} uses a transport that is not allowed here`,
    hint: "use an https URL",
  },
  {
    pattern: /operation too slow|operation timed out|transfer closed|less than \d+ bytes\/sec/iu,
    code: "FETCH_FAILED",
    message: (place) => `the transfer from ${place} stalled and was given up`,
    hint: "try again later",
  },
  {
    pattern: /could not resolve host|couldn't connect|failed to connect|connection refused|network is unreachable/iu,
    code: "FETCH_FAILED",
    message: (place) => `${place} cannot be reached`,
    hint: "check the network and the proxy settings, then run the command again",
  },
];

/** The error for a call of git that failed while it talked to `url` (a path for bundles). */
export function fetchFailure(url: string, result: GitResult, limits: SourceLimits): IpmError {
  const place = shownUrl(url);
  const words = gitWords(result.stderr);
  const data = { url: place, git: words };
  if (result.stopped === "timeout") {
    const seconds = Math.round(limits.fetchMs / 1_000);
    return new IpmError("FETCH_FAILED", `fetching ${place} took longer than ${seconds} s and was given up`, {
      hint: "try again later",
      data,
    });
  }
  if (result.stopped === "asked" || result.stopped === "output") {
    return new IpmError("SOURCE_UNSAFE", `${place} sent more than ${limits.receivedBytes} bytes, the limit`, {
      hint: "tell the tool's maintainers; nothing was installed",
      data,
    });
  }
  const known = KNOWN.find(({ pattern }) => pattern.test(result.stderr));
  if (known !== undefined) {
    return new IpmError(known.code, `${known.message(place)}. git says: ${words}`, { hint: known.hint, data });
  }
  const said = words === "" ? `git ended with ${result.exitCode ?? "a signal"}` : `git says: ${words}`;
  return new IpmError("FETCH_FAILED", `cannot fetch ${place}. ${said}`, { hint: "try again; check the address", data });
}
