import path from "node:path";
import type { Host } from "../core/host.ts";
import type { Shell } from "./shell.ts";

const MAC_BASH_LOGIN_FILES = [".bash_profile", ".bash_login", ".profile"];

function homeOf(host: Host): string | null {
  const home = host.facts.env["HOME"];
  return home !== undefined && path.isAbsolute(home) ? home : null;
}

function fishConfig(host: Host, home: string): string {
  const config = host.facts.env["XDG_CONFIG_HOME"];
  return path.join(
    config !== undefined && path.isAbsolute(config) ? config : path.join(home, ".config"),
    "fish/config.fish",
  );
}

function zshrc(host: Host, home: string): string {
  const folder = host.facts.env["ZDOTDIR"];
  return path.join(folder !== undefined && path.isAbsolute(folder) ? folder : home, ".zshrc");
}

/** The file that an interactive shell of this kind reads; null without a usable HOME. */
export async function rcFileOf(host: Host, shell: Shell): Promise<string | null> {
  const home = homeOf(host);
  if (home === null) return null;
  if (shell === "zsh") return zshrc(host, home);
  if (shell === "fish") return fishConfig(host, home);
  if (shell === "sh") return path.join(home, ".profile");
  if (host.facts.platform.os !== "macos") return path.join(home, ".bashrc");
  // Terminals of macOS start login shells, which read the first of these and never .bashrc.
  for (const name of MAC_BASH_LOGIN_FILES) {
    const file = path.join(home, name);
    if ((await host.files.facts(file)) !== undefined) return file;
  }
  return path.join(home, ".bash_profile");
}

/** Every file that `setup` may ever have written to here. */
export function allRcFiles(host: Host): string[] {
  const home = homeOf(host);
  if (home === null) return [];
  const names = [".bashrc", ...MAC_BASH_LOGIN_FILES, ".zshrc"].map((name) => path.join(home, name));
  return [...new Set([...names, zshrc(host, home), fishConfig(host, home)])];
}
