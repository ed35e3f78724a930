import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import type { RunningProcess } from "../core/host.ts";

function readOr(read: () => string): string {
  try {
    return read();
  } catch {
    // The process has ended, or belongs to somebody else: nothing of it can be known.
    return "";
  }
}

/** Open files: a shell shows the script that it runs nowhere else. */
function readOpenFiles(pid: string): string {
  try {
    return fs
      .readdirSync(`/proc/${pid}/fd`)
      .map((descriptor) => readOr(() => fs.readlinkSync(`/proc/${pid}/fd/${descriptor}`)))
      .join("\n");
  } catch {
    return "";
  }
}

function readLinux(): RunningProcess[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^[0-9]+$/u.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      text: [
        readOr(() => fs.readlinkSync(`/proc/${name}/exe`)),
        readOr(() => fs.readlinkSync(`/proc/${name}/cwd`)),
        readOr(() => fs.readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", "\n")),
        readOpenFiles(name),
        readOr(() => fs.readFileSync(`/proc/${name}/maps`, "utf8")),
      ].join("\n"),
    }));
}

/** The processes of this machine as far as they can be seen: procfs on Linux, `ps` elsewhere. */
export function readRunningProcesses(): RunningProcess[] {
  if (process.platform === "linux") return readLinux();
  const result = spawnSync("/bin/ps", ["-axo", "pid=,command="], { encoding: "utf8", env: {} });
  return (result.stdout ?? "").split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/u.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), text: match[2] ?? "" }];
  });
}
