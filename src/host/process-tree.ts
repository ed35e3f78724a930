import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

/** One process and who started it. */
export interface TreeProcess {
  readonly pid: number;
  readonly parent: number;
  /** Program and arguments, apart by spaces. */
  readonly command: string;
  /** Tells it from a later process of the same pid: when it started, else its command. */
  readonly identity: string;
}

/** Field 22 of proc(5)'s stat, counted from behind the parent. */
const START_TIME = 17;

function readLinux(): TreeProcess[] {
  return fs.readdirSync("/proc").flatMap((name) => {
    if (!/^[0-9]+$/u.test(name)) return [];
    try {
      // "pid (name) state ppid …"; the name may hold anything, also parentheses.
      const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent, ...more] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") return [];
      const command = fs.readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
      return [{ pid: Number(name), parent: Number(parent), command, identity: more[START_TIME] ?? command }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** The processes of this machine and their parents: procfs on Linux, `ps` elsewhere. */
function readProcesses(): TreeProcess[] {
  if (process.platform === "linux") return readLinux();
  const result = spawnSync("/bin/ps", ["-axo", "pid=,ppid=,command="], { encoding: "utf8", env: {} });
  return (result.stdout ?? "").split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line);
    const command = match?.[3] ?? "";
    return match === null ? [] : [{ pid: Number(match[1]), parent: Number(match[2]), command, identity: command }];
  });
}

/**
 * The child of this process whose command holds `marker`, and everything below it, the child first. For children that are
 * started by a library, which tells no pid and starts no process group.
 */
export function findProcessTree(marker: string): TreeProcess[] {
  const all = readProcesses();
  const found = all.filter(({ parent, command }) => parent === process.pid && command.includes(marker));
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

/** Everything below a process that it or its children started; by pid, the process itself not among them. */
export function findDescendants(pid: number): TreeProcess[] {
  const all = readProcesses();
  const found = all.filter(({ parent }) => parent === pid);
  for (const child of found) found.push(...all.filter(({ parent }) => parent === child.pid));
  return found;
}

/** Signal processes that were found before and are still the same ones. */
export function signalProcesses(found: readonly TreeProcess[], signal: NodeJS.Signals): void {
  if (found.length === 0) return;
  const now = new Map(readProcesses().map((entry) => [entry.pid, entry.identity]));
  for (const { pid, identity } of found) {
    if (now.get(pid) !== identity) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}
