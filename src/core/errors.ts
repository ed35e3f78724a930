/** Exit codes of the command line: public contract, listed in `docs/errors.md`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  manifest: 3,
  requirement: 4,
  refused: 5,
  busy: 6,
  notFound: 7,
  bug: 70,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface ErrorEntry {
  readonly exit: ExitCode;
  /** When it happens, for `docs/errors.md`. */
  readonly cause: string;
  /** What the reader can do about it. */
  readonly cure: string;
}

/**
 * Every failure that a user can reach. A code is API: it is never reused and never renamed.
 * `docs/errors.md` is generated from this table, so cause and cure are written for users.
 */
export const ERRORS = {
  USAGE: {
    exit: EXIT.usage,
    cause: "A command, flag or argument that ipm does not know, or a value that does not fit.",
    cure: "Run the command with `--help`; it begins with examples.",
  },
  INPUT_MISSING: {
    exit: EXIT.usage,
    cause: "A tool asks for a value that nobody has given, and nobody can be asked.",
    cure: "Give it: `--set NAME=VALUE`, `--set NAME=@FILE`, or `--set NAME=-` for standard input; or export the variable.",
  },
  PLATFORM_UNSUPPORTED: {
    exit: EXIT.usage,
    cause: "ipm does not run on this operating system yet.",
    cure: "Use Linux, macOS, or WSL on Windows.",
  },
  HOME_INVALID: {
    exit: EXIT.usage,
    cause:
      "HOME (or IPM_HOME, XDG_*_HOME) is unset, empty, not absolute, missing, or holds a character that PATH cannot carry.",
    cure: "Set HOME to your home folder, or IPM_HOME to an absolute folder that you may write.",
  },
  HOME_NOT_OWNED: {
    exit: EXIT.refused,
    cause:
      "ipm runs as root with a HOME that belongs to somebody else (as `sudo ipm` does), or its data folder belongs to another user or may be written by others.",
    cure: "Run ipm without sudo; in a container set HOME to root's own home.",
  },
  CONFIG_INVALID: {
    exit: EXIT.usage,
    cause: "`config.yaml` cannot be read or holds a key that ipm does not know.",
    cure: "Correct the line that is shown, or move the file away.",
  },
  TARGET_INVALID: {
    exit: EXIT.usage,
    cause:
      "A target is neither a name, nor `owner/repo`, nor a URL with an allowed transport (https, ssh, file), nor an existing path.",
    cure: "Write one of: NAME, NAME@VERSION, REGISTRY:NAME, OWNER/REPO, https://…, ./FOLDER.",
  },
  NAME_AMBIGUOUS: {
    exit: EXIT.usage,
    cause: "Two configured registries have an entry of this name; ipm never guesses which one is meant.",
    cure: "Name the registry: `ipm install REGISTRY:NAME`.",
  },
  TOOL_NOT_FOUND: {
    exit: EXIT.notFound,
    cause: "No configured registry has an entry of this name.",
    cure: "Run `ipm search WORDS`; `ipm update` brings configured registries up to date.",
  },
  VERSION_NOT_FOUND: {
    exit: EXIT.notFound,
    cause: "The entry exists and has no such version.",
    cure: "Run `ipm show NAME` for the list of versions.",
  },
  VERSION_WITHDRAWN: {
    exit: EXIT.refused,
    cause: "The registry has withdrawn this version; the reason is in the message.",
    cure: "Install another version; `ipm show NAME` lists them.",
  },
  NOT_INSTALLED: {
    exit: EXIT.notFound,
    cause: "The command names a tool that is not installed.",
    cure: "Run `ipm list` to see what is installed.",
  },
  COMMAND_NOT_PROVIDED: {
    exit: EXIT.notFound,
    cause: "`ipm which` was asked for a command that no installed tool provides.",
    cure: "Run `ipm list` to see the commands of each tool.",
  },
  GENERATION_NOT_FOUND: {
    exit: EXIT.notFound,
    cause: "There is no such generation, or it has been collected, or nothing came before the current one.",
    cure: "Run `ipm history` for the generations that can be gone back to.",
  },
  LOG_NOT_FOUND: {
    exit: EXIT.notFound,
    cause: "No step of this tool has been run here, so there is no log.",
    cure: "Run `ipm install NAME` first.",
  },
  NOTHING_TO_INSTALL: {
    exit: EXIT.notFound,
    cause: "The entry has no method: it is a library, or is only offered elsewhere.",
    cure: "Run the command of the message: it is the one for this ecosystem. There is nothing to verify either.",
  },
  REGISTRY_NOT_FOUND: {
    exit: EXIT.notFound,
    cause: "No registry of this id is configured.",
    cure: "Run `ipm registry list`; add one with `ipm registry add URL`.",
  },
  REGISTRY_INVALID: {
    exit: EXIT.manifest,
    cause: "A registry has no valid `registry.yaml`, or one of its files cannot be read.",
    cure: "Run `ipm lint PATH` in the registry, or `ipm update` once it is mended.",
  },
  REGISTRY_EXISTS: {
    exit: EXIT.usage,
    cause: "A registry of this id is configured already.",
    cure: "Run `ipm registry remove ID` first.",
  },
  REGISTRY_NOT_UPDATED: {
    exit: EXIT.notFound,
    cause: "A configured registry has never been fetched.",
    cure: "Run `ipm update`.",
  },
  REGISTRY_ROLLED_BACK: {
    exit: EXIT.refused,
    cause:
      "A static registry offers an older publication than the one that was fetched before, or another one under the same number: a stale mirror, or somebody who hides what was mended since.",
    cure: "Wait for the mirror, or ask the registry's owner. If it was started anew: `ipm registry remove ID`, then add it again.",
  },
  REGISTRY_MISMATCH: {
    exit: EXIT.refused,
    cause: "A file of a static registry has other bytes, or another size, than the registry's root says.",
    cure: "Run the command again (an upload may have been under way); if it stays so, tell the registry's owner.",
  },
  REGISTRY_REDIRECTED: {
    exit: EXIT.refused,
    cause: "The server of a static registry sends on to another server, as a login page does.",
    cure: "Open the address in a browser. If the registry has moved, remove it and add its new address.",
  },
  REGISTRY_NOT_DATA: {
    exit: EXIT.failed,
    cause:
      "The server of a static registry answered with something else: a web page, or a file that is cut off or garbled.",
    cure: "Log in to the network, or mend the address; what was fetched before stays in use.",
  },
  REGISTRY_FORMAT_UNKNOWN: {
    exit: EXIT.failed,
    cause: "A static registry was built in a format that this ipm does not read.",
    cure: "Use a newer ipm, or have the registry built again with `ipm registry build`.",
  },
  REGISTRY_TOO_LARGE: {
    exit: EXIT.refused,
    cause: "The server of a static registry sends more bytes than the file may have.",
    cure: "Tell the registry's owner; what was fetched before stays in use.",
  },
  REGISTRY_STALLED: {
    exit: EXIT.failed,
    cause: "The server of a static registry went silent, or was slower than any network.",
    cure: "Try again later; the download goes on where it stopped. A mirror helps: `ipm registry add URL --mirror URL`.",
  },
  REGISTRY_CUT_OFF: {
    exit: EXIT.failed,
    cause: "The connection to a static registry ended in the middle of a file.",
    cure: "Run the command again; the download goes on where it stopped.",
  },
  REGISTRY_DAMAGED: {
    exit: EXIT.failed,
    cause: "The copy of a static registry in the cache is damaged or not complete.",
    cure: "Run `ipm update`: it is fetched again.",
  },
  MANIFEST_INVALID: {
    exit: EXIT.manifest,
    cause: "A manifest breaks the schema; every problem is listed with its line and column.",
    cure: "Correct the lines that are shown. `docs/manifest.md` describes each key.",
  },
  MANIFEST_MISSING: {
    exit: EXIT.notFound,
    cause: "The repository or folder is in no registry and carries no `ipm.yaml`.",
    cure: "Write an `ipm.yaml`, or ask for a registry entry.",
  },
  REQUIREMENT_MISSING: {
    exit: EXIT.requirement,
    cause: "The host lacks a program that the tool needs, or has it in a version that does not fit.",
    cure: "Install what the message lists, then run the command again.",
  },
  METHOD_NOT_APPLICABLE: {
    exit: EXIT.requirement,
    cause: "No method of the manifest fits this platform and version, or the one asked for with `--method` does not.",
    cure: "The message lists every method and why it was passed over.",
  },
  UNVERIFIED: {
    exit: EXIT.refused,
    cause: "The plan is not verified and nobody could be asked.",
    cure: "Read `ipm plan TARGET`; if you trust it, add `--allow-unverified`.",
  },
  POLICY_REFUSED: {
    exit: EXIT.refused,
    cause: "A rule of a `policy.yaml` (the user's or the system's) refuses the plan; no flag goes past it.",
    cure: "The message names the file and the rule. `docs/policy.md` describes each of them.",
  },
  POLICY_INVALID: {
    exit: EXIT.usage,
    cause: "A `policy.yaml` cannot be read or holds a key that ipm does not know; nothing is installed until it can.",
    cure: "Correct the line that is shown; `ipm doctor` looks at it too.",
  },
  DECLINED: {
    exit: EXIT.failed,
    cause: "The question was answered with no.",
    cure: "Nothing was changed. Run the command again to be asked again.",
  },
  HELD: {
    exit: EXIT.refused,
    cause: "The tool is held at its version and the command would change it.",
    cure: "Run `ipm unhold NAME` first.",
  },
  FOLDER_UNUSABLE: {
    exit: EXIT.usage,
    cause:
      "A workspace cannot go to this folder: it is not empty, it is a link, others may write where it is, or it is one of ipm's own.",
    cure: "Name a new or empty folder with `--into DIR`.",
  },
  WORKSPACE_EXISTS: {
    exit: EXIT.refused,
    cause: "The name is a workspace already, in another folder, or a tool of this name is installed.",
    cure: "Use the folder that the message names, or run `ipm uninstall NAME` first.",
  },
  WORKSPACE_CHANGED: {
    exit: EXIT.refused,
    cause:
      "A workspace holds work of yours (changes, commits, files in the way) that moving it to another version would touch.",
    cure: "Commit and push, or stash, what is there; then run the command again. `git merge TAG` brings a version into your own branch.",
  },
  WORKSPACE_UNFINISHED: {
    exit: EXIT.failed,
    cause: "The preparation of a workspace was interrupted or failed, so its environment is not complete.",
    cure: "Run `ipm reinstall NAME`; for one that was never finished, `ipm install NAME` begins anew.",
  },
  WORKSPACE_GONE: {
    exit: EXIT.notFound,
    cause: "The folder of a workspace is not there any more, or another one is in its place.",
    cure: "Move it back, or run `ipm uninstall NAME`, which then only forgets it.",
  },
  LAUNCHER_CONFLICT: {
    exit: EXIT.failed,
    cause: "Two tools provide a command of the same name.",
    cure: "Uninstall the tool that the message names, or install one of the two only.",
  },
  LAUNCHER_PROTECTED: {
    exit: EXIT.refused,
    cause: "A tool would provide a command such as `sudo`, `ls` or `git`, which must never be replaced.",
    cure: "Ask the registry's maintainers to rename the launcher.",
  },
  SANDBOX_UNAVAILABLE: {
    exit: EXIT.refused,
    cause: "Steps would run and this host cannot isolate them.",
    cure: "Run the command that `ipm doctor` shows, or accept the risk with `--no-sandbox`.",
  },
  SANDBOX_FAILED: {
    exit: EXIT.failed,
    cause: "The sandbox worked when it was tried and did not start for a step.",
    cure: "Run `ipm doctor`. Nothing was installed.",
  },
  SOURCE_MISMATCH: {
    exit: EXIT.refused,
    cause: "What was fetched is not what the manifest pins: another commit, another tree, or a tag that has moved.",
    cure: "Do not install it. Tell the registry's maintainers both values of the message.",
  },
  COMMIT_GONE: {
    exit: EXIT.refused,
    cause:
      "The repository no longer has the commit that the manifest pins: its history was rewritten, or it is another repository now.",
    cure: "Do not install it by its branch instead. Install another version, and tell the registry's maintainers.",
  },
  SOURCE_UNSAFE: {
    exit: EXIT.refused,
    cause:
      "The source tree holds a path that could write outside (`..`, `.git`, a link that leaves, names that collide), an object that git's own check refuses or a pointer of Git LFS, or exceeds a limit.",
    cure: "Tell the tool's maintainers. Nothing was written.",
  },
  SOURCE_REFUSED: {
    exit: EXIT.refused,
    cause:
      "A source uses a transport that is not allowed there, carries credentials in its URL, or redirects elsewhere.",
    cure: "Use an https URL without a password; configure a git credential helper for private sources.",
  },
  FETCH_FAILED: {
    exit: EXIT.failed,
    cause: "A commit could not be fetched: the network, the server, a missing commit, or a password that is needed.",
    cure: "Try again; the message holds git's own words.",
  },
  LOCK_INVALID: {
    exit: EXIT.manifest,
    cause:
      "The lock of a package is missing from the registry, is not what the manifest pins (another version, another integrity), lacks a hash, or holds an address.",
    cure: "Run `ipm bump NAME VERSION` in the registry, or tell its maintainers. Nothing was installed.",
  },
  PACKAGE_NOT_FOUND: {
    exit: EXIT.notFound,
    cause:
      "The ecosystem's registry does not have the package, or no longer has the version or file that the lock pins: it was withdrawn there.",
    cure: "Run `ipm show NAME` for other versions; the registry's maintainers mark this one as withdrawn.",
  },
  PACKAGE_MISMATCH: {
    exit: EXIT.refused,
    cause: "The ecosystem's registry handed out a file whose hash is not the one of the lock.",
    cure: "Do not install it. Tell the registry's maintainers; a mirror in between may be broken.",
  },
  PACKAGE_UNREACHABLE: {
    exit: EXIT.failed,
    cause: "The ecosystem's registry could not be reached, or refused to answer.",
    cure: "Check the network, the proxy and the mirror that the ecosystem's own tool is configured for; then try again.",
  },
  PACKAGE_UNUSABLE: {
    exit: EXIT.failed,
    cause: "The registry's answer about a package cannot be used, or the package cannot be locked with hashes.",
    cure: "Read the message; another version may do, or the checkout: `ipm init OWNER/REPO`.",
  },
  OFFLINE: {
    exit: EXIT.failed,
    cause: "`--offline` was given and the work needs something that is not on this machine yet.",
    cure: "Run the command once without `--offline`.",
  },
  GIT_UNUSABLE: {
    exit: EXIT.requirement,
    cause: "git is not installed, or is older than 2.39 and open to known attacks.",
    cure: "Install git 2.39 or newer with the system's package manager.",
  },
  STEP_FAILED: {
    exit: EXIT.failed,
    cause: "A step ended with a failure.",
    cure: "Read the last lines and the log that the message names. Nothing was installed.",
  },
  STEP_TIMEOUT: {
    exit: EXIT.failed,
    cause: "A step or test took longer than its time limit and was stopped with all its children.",
    cure: "Read the log; a slow machine may need a longer `timeout:` in the manifest.",
  },
  TEST_FAILED: {
    exit: EXIT.failed,
    cause: "A test of the manifest did not see what it expects, so the tool was not put on PATH.",
    cure: "Compare expected and actual in the message; the log has everything.",
  },
  OUTPUT_INVALID: {
    exit: EXIT.failed,
    cause:
      "The steps ended well and did not produce what the manifest promises (a launcher is missing, not executable or leaves the prefix), or produced a setuid file, device or socket.",
    cure: "Tell the manifest's maintainers. Nothing was installed.",
  },
  LOCKED: {
    exit: EXIT.busy,
    cause: "Another ipm process holds the lock; the message names its pid, command and age.",
    cure: "Wait for it, or give `--lock-timeout SECONDS`.",
  },
  LOCK_UNSUPPORTED: {
    exit: EXIT.failed,
    cause: "The file system or the host has no kernel locks that ipm can use.",
    cure: "Put IPM_HOME on a local disk; on Linux install `flock` (util-linux).",
  },
  STATE_DAMAGED: {
    exit: EXIT.failed,
    cause: "A file of ipm's own state is damaged in a way that cannot be mended without asking.",
    cure: "Run `ipm doctor`, then `ipm doctor --fix`.",
  },
  STATE_NEWER: {
    exit: EXIT.failed,
    cause: "The data folder was written by a newer ipm; this one may read it and will not write.",
    cure: "Use the newer ipm.",
  },
  DISK_FULL: {
    exit: EXIT.failed,
    cause: "No space, no inodes or no quota left; what was half done has been removed.",
    cure: "Free space (`ipm gc` gives back what ipm no longer needs), then run the command again.",
  },
  IO_FAILED: {
    exit: EXIT.failed,
    cause: "The operating system refused to read or write a path.",
    cure: "The message names the path and the reason. `ipm doctor` checks the homes.",
  },
  FOREIGN_FILE: {
    exit: EXIT.failed,
    cause: "A file that ipm did not make is where ipm would write.",
    cure: "Move the file that the message names away, then run the command again.",
  },
  INTERRUPTED: {
    exit: EXIT.interrupted,
    cause: "Ctrl-C (SIGINT).",
    cure: "Nothing half done stays behind. Run the command again.",
  },
  TERMINATED: {
    exit: EXIT.terminated,
    cause: "SIGTERM.",
    cure: "Nothing half done stays behind. Run the command again.",
  },
  HANGUP: {
    exit: EXIT.hangup,
    cause: "The terminal went away (SIGHUP).",
    cure: "Nothing half done stays behind. Run the command again.",
  },
  BUG: {
    exit: EXIT.bug,
    cause: "Something that ipm's authors did not foresee.",
    cure: "Report it with the lines that are shown.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

function exitOf(code: ErrorCode): ExitCode {
  return ERRORS[code].exit;
}

export interface IpmErrorDetails {
  /** The next command to run, or what to change. */
  readonly hint?: string;
  /** What a machine needs: plain JSON. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A failure that a user can reach: message = what happened + the offending thing, hint = the next move. */
export class IpmError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: IpmErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "IpmError";
    this.code = code;
    this.hint = details.hint;
    this.data = details.data ?? {};
  }

  /** The exit code of the process when this error reaches the top. */
  get exitCode(): ExitCode {
    return exitOf(this.code);
  }
}

/** Narrow an unknown error to one of ours, optionally of one code. */
export function isIpmError(error: unknown, code?: ErrorCode): error is IpmError {
  return error instanceof IpmError && (code === undefined || error.code === code);
}

/** The errno name (`ENOENT`) of a system error, or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}
