import * as fs from "node:fs";
import * as os from "node:os";
import { IpmError } from "../core/errors.ts";
import type { HostFacts, Libc, Platform } from "../core/host.ts";

/** musl's loader is in /lib under this name; glibc reports itself in Node's own header of a diagnostic report. */
function readLibc(): Libc {
  try {
    if (fs.readdirSync("/lib").some((name) => name.startsWith("ld-musl-"))) return "musl";
  } catch {
    // No /lib at all (NixOS): glibc is what Node's own builds for Linux link to.
  }
  return "glibc";
}

/** A value that is found out when it is first asked for: most commands ask for few of the facts. */
function onDemand<Value>(find: () => Value): () => Value {
  let found: { readonly value: Value } | undefined;
  return () => (found ??= { value: find() }).value;
}

function readPlatform(platform: NodeJS.Platform): Platform {
  if (platform === "linux") {
    const libc = onDemand(readLibc);
    return {
      os: "linux",
      arch: process.arch,
      get libc() {
        return libc();
      },
    };
  }
  if (platform === "darwin") return { os: "macos", arch: process.arch, libc: null };
  throw new IpmError("PLATFORM_UNSUPPORTED", `ipm does not run on ${platform} yet`, {
    hint: "use Linux, macOS, or WSL on Windows",
  });
}

function readDistribution(): HostFacts["distribution"] {
  if (process.platform === "darwin") return { id: "macos", version: os.release() };
  for (const file of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      const text = fs.readFileSync(file, "utf8");
      const value = (key: string): string => new RegExp(`^${key}="?([^"\n]*)"?$`, "mu").exec(text)?.[1] ?? "";
      return { id: value("ID") || "linux", version: value("VERSION_ID") };
    } catch {
      // The next place of os-release(5).
    }
  }
  return { id: "linux", version: "" };
}

/**
 * True when the folder that ipm was called in has been removed meanwhile. Then ipm stands in `/`: what it loads asks for the
 * working folder as well, and ends with a bug where there is none.
 */
function leaveRemovedFolder(): boolean {
  try {
    process.cwd();
    return false;
  } catch {
    process.chdir("/");
    return true;
  }
}

/**
 * What this machine is, as one value.
 * @param env the caller's environment
 * @throws IpmError PLATFORM_UNSUPPORTED on anything but Linux and macOS; USAGE when `cwd` is read and was removed
 */
export function readHostFacts(env: HostFacts["env"] = process.env): HostFacts {
  const distribution = onDemand(readDistribution);
  const isCwdGone = leaveRemovedFolder();
  return {
    platform: readPlatform(process.platform),
    get distribution() {
      return distribution();
    },
    get cpus() {
      return os.availableParallelism();
    },
    uid: process.getuid?.() ?? -1,
    env,
    get cwd() {
      if (!isCwdGone) return process.cwd();
      throw new IpmError("USAGE", "the folder that ipm was called in does not exist any more", {
        hint: "cd to one that does, then run the command again",
      });
    },
    pid: process.pid,
    node: { path: process.execPath, version: process.versions.node },
  };
}
