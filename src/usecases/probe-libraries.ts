import path from "node:path";
import type { Host, ProcessResult } from "../core/host.ts";
import type { FoundRequirement } from "../plan/requirements.ts";
import { findOnPath } from "./find-on-path.ts";

const PROBE_TIMEOUT_MS = 15_000;
const PROBE_OUTPUT = 8 * 1024 * 1024;
const HEADER_FOLDERS = ["/usr/include", "/usr/local/include", "/opt/homebrew/include"];
const LIBRARY_FOLDERS = ["/lib", "/usr/lib", "/usr/local/lib", "/lib64", "/usr/lib64", "/opt/homebrew/lib"];

/** Start a program of the host with nothing of the caller's environment; undefined when it is not there. */
async function ask(
  host: Host,
  program: string,
  args: readonly string[],
  stdin?: string,
): Promise<ProcessResult | undefined> {
  const found = program.startsWith("/") ? await host.files.realPath(program) : await findOnPath(host, program);
  if (found === undefined) return undefined;
  return host.processes.run({
    argv: [found, ...args],
    cwd: "/",
    env: {
      PATH: `${path.dirname(found)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
      LC_ALL: "C",
      HOME: "/dev/null",
    },
    ...(stdin === undefined ? {} : { stdin }),
    timeoutMs: PROBE_TIMEOUT_MS,
    maxOutput: PROBE_OUTPUT,
    signal: host.signal,
  });
}

function textOf(result: ProcessResult): string {
  return new TextDecoder().decode(result.stdout);
}

/**
 * A header as the compiler finds it; without a compiler, in the folders that nearly all of them search.
 * @param header as `#include` names it; anything else than a relative path is not found
 */
export async function findHeader(host: Host, header: string): Promise<FoundRequirement | null> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+/-]*$/u.test(header) || header.includes("..")) return null;
  const compiler = /\.(?:hpp|hh|hxx)$/u.test(header) || !header.includes(".") ? ["c++", "c++"] : ["cc", "c"];
  const [program = "cc", language = "c"] = compiler;
  const result = await ask(host, program, ["-E", "-x", language, "-"], `#include <${header}>\n`);
  if (result !== undefined && result.exitCode !== 0) return null;
  const files =
    result === undefined ? [] : [...textOf(result).matchAll(/^# [0-9]+ "([^"<]+)"/gmu)].map((match) => match[1] ?? "");
  const candidates = result === undefined ? HEADER_FOLDERS.map((folder) => path.join(folder, header)) : files;
  for (const file of candidates) {
    if (!file.endsWith(`/${header}`) || !path.isAbsolute(file)) continue;
    const real = await host.files.realPath(file);
    if (real !== undefined) return { path: file, real, version: null };
  }
  return null;
}

/** A package that pkg-config knows, with its version and the place of its `.pc` file. */
export async function findPackage(host: Host, name: string): Promise<FoundRequirement | null> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.+-]*$/u.test(name)) return null;
  const [version, folder] = await Promise.all([
    ask(host, "pkg-config", ["--modversion", name]),
    ask(host, "pkg-config", ["--variable=pcfiledir", name]),
  ]);
  if (version === undefined || version.exitCode !== 0) return null;
  const at = folder === undefined ? "" : textOf(folder).trim();
  const file = path.isAbsolute(at) ? path.join(at, `${name}.pc`) : name;
  const lines = textOf(version).trim().split("\n");
  return { path: file, real: (await host.files.realPath(file)) ?? file, version: lines[0] ?? null };
}

/** The version that a library's file name carries: `libssl.so.3` is 3, `libssl.3.dylib` too. */
function versionOf(file: string): string | null {
  return /\.so\.([0-9]+(?:\.[0-9]+)*)$/u.exec(file)?.[1] ?? /\.([0-9]+(?:\.[0-9]+)*)\.dylib$/u.exec(file)?.[1] ?? null;
}

/**
 * A shared library as the dynamic loader finds it: in its cache (ldconfig(8)), else in its folders.
 * @param name `libssl`, or with its number: `libssl.so.3`
 */
export async function findLibrary(host: Host, name: string): Promise<FoundRequirement | null> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/u.test(name)) return null;
  const fits = (file: string): boolean =>
    file === name ||
    file.startsWith(`${name}.so`) ||
    file.startsWith(`${name}.dylib`) ||
    (file.startsWith(`${name}.`) && file.endsWith(".dylib"));
  const describe = async (file: string): Promise<FoundRequirement | null> => {
    const real = await host.files.realPath(file);
    return real === undefined
      ? null
      : { path: file, real, version: versionOf(path.basename(file)) ?? versionOf(path.basename(real)) };
  };
  const cache = host.facts.platform.libc === "glibc" ? await ask(host, "/sbin/ldconfig", ["-p"]) : undefined;
  if (cache?.exitCode === 0) {
    const lines = [...textOf(cache).matchAll(/^\s*(\S+) \([^)]*\) => (\/.*)$/gmu)];
    // With a number first: the plain name is a link that only the compiler needs.
    const found = lines
      .filter((match) => fits(match[1] ?? ""))
      .toSorted((a, b) => (b[1] ?? "").length - (a[1] ?? "").length);
    const file = found[0]?.[2];
    return file === undefined ? null : describe(file);
  }
  for (const folder of LIBRARY_FOLDERS) {
    const file = (await host.files.list(folder)).findLast(fits);
    const found = file === undefined ? null : await describe(path.join(folder, file));
    if (found !== null) return found;
  }
  return null;
}
