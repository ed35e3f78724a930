import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isInside, outermost } from "./paths.ts";
import type { Grants } from "./sandbox.ts";

/** One thing of the system that every sandbox shows, read-only. */
export type SystemMount =
  | { readonly kind: "bind"; readonly from: string; readonly at: string }
  | { readonly kind: "link"; readonly target: string; readonly at: string }
  /** A file of a system folder that is there and shown empty. */
  | { readonly kind: "empty"; readonly at: string };

/** What the arguments depend on besides the grants. */
export interface BubblewrapFacts {
  /** System folders (or links to them) first, then files of /etc. */
  readonly system: readonly SystemMount[];
}

export interface BubblewrapCommand {
  readonly grants: Grants;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A folder of ipm's own that is shown read-only in a place that is made anew for every run. */
  readonly shown?: { readonly from: string; readonly at: string };
  /** Files that exist only inside, read-only: absolute path (in a fresh place) and the descriptor with their content. */
  readonly data: readonly { readonly at: string; readonly descriptor: number }[];
  /** The first of as many descriptors without content as there are files to be shown empty. */
  readonly empty: number;
  /** The descriptor with a seccomp filter. */
  readonly seccomp?: number;
}

/** Bytes that /tmp may take of the memory; builds have a TMPDIR on disk. */
const TMP_BYTES = 2 * 1024 * 1024 * 1024;
/** The id inside, whoever runs ipm: an ordinary one, so that nothing inside depends on it. */
export const INSIDE_ID = 1000;

/** Never granted as a whole, whoever asks. */
const FORBIDDEN = new Set([
  "/",
  "/proc",
  "/sys",
  "/etc",
  "/usr",
  "/dev",
  "/run",
  "/tmp",
  "/var",
  "/var/tmp",
  "/home",
  "/root",
]);

function refuse(message: string, target: string): never {
  throw new IpmError("SANDBOX_FAILED", message, { hint: "ipm doctor", data: { path: target } });
}

/**
 * Grants that can be mounted without a destination beneath another one: bubblewrap before 0.12 creates mount points
 * through links (CVE-2026-87766), so nothing may be mounted beneath what a package controls.
 */
function checkedGrants(grants: Grants, system: readonly SystemMount[]): { readable: string[]; writable: string[] } {
  for (const target of [...grants.readable, ...grants.writable]) {
    if (!path.isAbsolute(target) || path.normalize(target) !== target || target.includes("\0")) {
      refuse(`a path for the sandbox is not absolute and normal: ${target}`, target);
    }
    if (FORBIDDEN.has(target)) refuse(`the whole of ${target} is never given to a sandbox`, target);
  }
  const writable = outermost(grants.writable);
  for (const { at } of system) {
    const above = writable.find((folder) => isInside(folder, at));
    if (above !== undefined) refuse(`${above} holds ${at} of the system and cannot be writable in a sandbox`, above);
  }
  // What the system folders or a writable folder show already needs no mount of its own.
  const shown = [...writable, ...system.filter(({ kind }) => kind === "bind").map(({ at }) => at)];
  const readable = outermost(grants.readable).filter((item) => !shown.some((folder) => isInside(folder, item)));
  for (const folder of readable) {
    const below = writable.find((item) => isInside(folder, item));
    if (below !== undefined) refuse(`${below} would be mounted beneath ${folder}`, below);
  }
  return { readable, writable };
}

/** Only a folder directly inside a writable one: what lies between could be replaced by a link. */
function checkedProtection(folders: readonly string[], writable: readonly string[]): readonly string[] {
  for (const folder of folders) {
    if (!path.isAbsolute(folder) || path.normalize(folder) !== folder || !writable.includes(path.dirname(folder)))
      refuse(`${folder} cannot be protected: it is not directly in a writable folder`, folder);
  }
  return folders;
}

/**
 * The options of one bubblewrap run; they are handed over through `--args`, so that no value is seen in a process list.
 * The order matters: what is mounted later lies on what was mounted before, package-controlled folders are the last
 * mounts, and the new root is made read-only after all of them (it is a tmpfs: without that `touch /etc/x` succeeds).
 * @throws IpmError SANDBOX_FAILED for grants that cannot be mounted safely
 */
export function bubblewrapArguments(command: BubblewrapCommand, facts: BubblewrapFacts): string[] {
  const { readable, writable } = checkedGrants(command.grants, facts.system);
  const args = ["--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts"];
  args.push("--unshare-cgroup-try", "--unshare-net", "--die-with-parent", "--new-session", "--cap-drop", "ALL");
  args.push("--hostname", "ipm-sandbox");
  args.push("--uid", String(INSIDE_ID), "--gid", String(INSIDE_ID));
  if (command.seccomp !== undefined) args.push("--seccomp", String(command.seccomp));
  args.push("--clearenv");
  for (const [name, value] of Object.entries(command.env)) args.push("--setenv", name, value);
  let { empty } = command;
  for (const mount of facts.system) {
    if (mount.kind === "link") args.push("--symlink", mount.target, mount.at);
    // Not /dev/null: a bind does not let devices be opened.
    else if (mount.kind === "empty") args.push("--perms", "0444", "--ro-bind-data", String(empty++), mount.at);
    else args.push("--ro-bind", mount.from, mount.at);
  }
  args.push("--proc", "/proc", "--dev", "/dev");
  args.push("--perms", "1777", "--size", String(TMP_BYTES), "--tmpfs", "/tmp");
  args.push("--perms", "1777", "--size", String(TMP_BYTES), "--tmpfs", "/var/tmp");
  args.push("--perms", "0755", "--tmpfs", "/run");
  for (const item of readable) args.push("--ro-bind", item, item);
  if (command.shown !== undefined) args.push("--ro-bind", command.shown.from, command.shown.at);
  // Copies into what is read-only in the end cost no mount; each mount costs as much as all of them.
  for (const { at, descriptor } of command.data) args.push("--perms", "0444", "--file", String(descriptor), at);
  for (const item of writable) args.push("--bind", item, item);
  // The one mount beneath a writable folder: its place is a real folder that was there before anything ran, and while it is
  // mounted it can be neither moved nor replaced, so no step can put a link there for the next one.
  for (const item of checkedProtection(command.grants.protected ?? [], writable)) args.push("--ro-bind", item, item);
  // As root the user's number outside is still 0, and the kernel asks for nothing else where /proc/sys is written:
  // /proc/sys/kernel/core_pattern would run a program as root on the host. bubblewrap's own covering does not see that.
  for (const folder of ["/proc", "/run", "/"]) args.push("--remount-ro", folder);
  args.push("--chdir", command.cwd);
  for (const argument of args) {
    if (argument.includes("\0")) refuse("a value for the sandbox holds a NUL character", argument);
  }
  return args;
}
