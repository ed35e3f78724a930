import * as fs from "node:fs";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Homes } from "../core/host.ts";

type Environment = Readonly<Record<string, string | undefined>>;

// `:` separates the folders of PATH and a line feed ends a line of an rc file: a home with either cannot be put on PATH.
const NOT_IN_PATH = /[:\n\r\0]/u;

function demandUsable(name: string, value: string): string {
  if (!path.isAbsolute(value)) {
    throw new IpmError("HOME_INVALID", `${name} is not an absolute path: ${JSON.stringify(escapeUntrusted(value))}`, {
      hint: `export ${name}=/an/absolute/folder`,
    });
  }
  if (NOT_IN_PATH.test(value)) {
    throw new IpmError(
      "HOME_INVALID",
      `${name} holds a character that PATH cannot carry: ${JSON.stringify(escapeUntrusted(value))}`,
      {
        hint: "set IPM_HOME to a folder without `:` and line breaks",
      },
    );
  }
  const normal = path.normalize(value);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function demandHome(env: Environment): string {
  const home = env["HOME"];
  if (home === undefined || home === "") {
    throw new IpmError("HOME_INVALID", "HOME is not set, so there is no place for ipm's data", {
      hint: "export HOME=/your/home, or IPM_HOME=/an/absolute/folder",
    });
  }
  const usable = demandUsable("HOME", home);
  if (!fs.existsSync(usable)) {
    throw new IpmError("HOME_INVALID", `HOME does not exist: ${escapeUntrusted(usable)}`, {
      hint: `mkdir -p ${usable}, or export IPM_HOME=/an/absolute/folder`,
    });
  }
  return usable;
}

/**
 * The real path of a folder that may not exist yet: its deepest existing part is resolved. What is bound into a sandbox
 * and written into launchers must be the same path that the kernel sees.
 */
function realPathOfNew(folder: string): string {
  const rest: string[] = [];
  for (let existing = folder; ; existing = path.dirname(existing)) {
    try {
      return path.join(fs.realpathSync.native(existing), ...rest);
    } catch {
      if (existing === path.dirname(existing)) return folder;
      rest.unshift(path.basename(existing));
    }
  }
}

/**
 * The three homes of ipm: `IPM_HOME/{data,cache,config}`, else by the XDG base directory specification, on macOS too.
 * An XDG variable that is not absolute is ignored, as that specification demands.
 * @throws IpmError HOME_INVALID
 */
export function resolveHomes(env: Environment): Homes {
  const ipmHome = env["IPM_HOME"];
  if (ipmHome !== undefined && ipmHome !== "") {
    const root = demandUsable("IPM_HOME", ipmHome);
    const real = realPathOfNew(root);
    return { data: path.join(real, "data"), cache: path.join(real, "cache"), config: path.join(real, "config") };
  }
  const below = (variable: string, fallback: string): string => {
    const value = env[variable];
    const base = value !== undefined && path.isAbsolute(value) ? value : path.join(demandHome(env), fallback);
    return realPathOfNew(path.join(demandUsable(variable, base), "ipm"));
  };
  return {
    data: below("XDG_DATA_HOME", ".local/share"),
    cache: below("XDG_CACHE_HOME", ".cache"),
    config: below("XDG_CONFIG_HOME", ".config"),
  };
}
