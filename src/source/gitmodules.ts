import { parseGitUrl } from "../core/git-url.ts";
import type { GitSetting } from "./git-config.ts";

/** One submodule as `.gitmodules` has it; both texts are hostile. */
export interface SubmoduleEntry {
  readonly path: string;
  readonly url: string;
}

/**
 * Path and URL of each submodule (gitmodules(5)). Names, branches and update commands mean nothing here. Of two sections
 * for one path the last one counts, as for git.
 */
export function submoduleEntries(settings: readonly GitSetting[]): SubmoduleEntry[] {
  const sections = new Map<string, { path?: string; url?: string }>();
  for (const { key, value } of settings) {
    const [, name, variable] = /^submodule\.(.*)\.(path|url)$/su.exec(key) ?? [];
    if (name === undefined || value === null) continue;
    const section = sections.get(name) ?? {};
    if (variable === "path") section.path = value;
    else section.url = value;
    sections.set(name, section);
  }
  return [...sections.values()].flatMap(({ path, url }) =>
    path === undefined || url === undefined ? [] : [{ path, url }],
  );
}

/**
 * The address of a submodule: as written, or relative to that of the repository that names it (`../other.git`), as
 * git-submodule(1) reads it.
 * @param base the repository's own address, or null where it has none that could be built on (a bundle)
 * @returns undefined for a relative one that leaves the host, or that there is no base for
 */
export function submoduleUrl(url: string, base: string | null): string | undefined {
  if (!/^\.\.?\//u.test(url)) return url;
  if (base === null || !parseGitUrl(base).ok) return undefined;
  // `https://host/a/b.git` is `https://host/` and the parts of its path; `git@host:a/b` likewise.
  const start = base.includes("://") ? base.length - new URL(base).pathname.length + 1 : base.indexOf(":") + 1;
  const parts = base.slice(start).split("/");
  for (const part of url.replace(/\/+$/u, "").split("/")) {
    if (part === "." || part === "") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return `${base.slice(0, start)}${parts.join("/")}`;
}
