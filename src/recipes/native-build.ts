import type { Requirement } from "../manifest/manifest.ts";
import type { SourceFile } from "./listing.ts";
import { BUILD_TIMEOUT_MS, type DraftRun } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

/**
 * Folders of other packages that builds ask pkg-config for and then write into; here they are in the prefix.
 * `PKG_CONFIG_<PACKAGE>_<VARIABLE>` replaces a variable's value (pkg-config(1), since 0.29; pkgconf as well).
 */
const FOREIGN_FOLDERS: Readonly<Record<string, string>> = {
  PKG_CONFIG_BASH_COMPLETION_COMPLETIONSDIR: "{prefix}/share/bash-completion/completions",
  PKG_CONFIG_BASH_COMPLETION_COMPATDIR: "{prefix}/share/bash-completion/completions",
  PKG_CONFIG_FISH_COMPLETIONSDIR: "{prefix}/share/fish/vendor_completions.d",
  PKG_CONFIG_SYSTEMD_SYSTEMDSYSTEMUNITDIR: "{prefix}/lib/systemd/system",
  PKG_CONFIG_SYSTEMD_SYSTEMDUSERUNITDIR: "{prefix}/lib/systemd/user",
  PKG_CONFIG_SYSTEMD_TMPFILESDIR: "{prefix}/lib/tmpfiles.d",
  PKG_CONFIG_UDEV_UDEVDIR: "{prefix}/lib/udev",
  PKG_CONFIG_DBUS_1_SESSION_BUS_SERVICES_DIR: "{prefix}/share/dbus-1/services",
  PKG_CONFIG_DBUS_1_SYSTEM_BUS_SERVICES_DIR: "{prefix}/share/dbus-1/system-services",
};

/** Signs that a build makes shared libraries of its own. */
const SHARED_LIBRARY =
  /\.so\b|\.dylib\b|-shared\b|-dynamiclib\b|\bLT_INIT\b|\bA[CM]_PROG_LIBTOOL\b|\bLTLIBRARIES\b|\b(?:shared_|both_)?(?:library|libraries|module)\s*\(/u;

/**
 * The environment of every native build. Where a build makes shared libraries, programs find them in the private prefix
 * at run time: `LD_RUN_PATH` is taken by GNU ld where no other run path is given (ld(1)), without touching the flags that
 * a Makefile sets for itself.
 */
export function nativeEnvironment(texts: Readonly<Record<string, string>>): Record<string, string> {
  const isShared = Object.values(texts).some((text) => SHARED_LIBRARY.test(text));
  return { ...FOREIGN_FOLDERS, ...(isShared ? { LD_RUN_PATH: "{prefix}/lib" } : {}) };
}

/** True when the texts say that shared libraries are made. */
export function makesSharedLibraries(texts: Readonly<Record<string, string>>): boolean {
  return Object.values(texts).some((text) => SHARED_LIBRARY.test(text));
}

/** A required tool. */
export function toolRequirement(
  tool: string,
  why: string,
  more: { readonly version?: string | null; readonly for?: Requirement["for"]; readonly optional?: boolean } = {},
): Requirement {
  return { tool, version: more.version ?? null, for: more.for ?? "build", optional: more.optional ?? false, why };
}

const C = /\.c$/u;
const CXX = /\.(?:cc|cpp|cxx|c\+\+|C)$/u;
/** Folders whose sources are not needed to build the tool. */
const ASIDE =
  /(?:^|\/)(?:tests?|testing|examples?|bench(?:marks?)?|fuzz|contrib|docs?|third_party|vendor|subprojects)\//u;

/** The compilers that a listing's own sources need. */
export function compilersOf(files: readonly SourceFile[]): readonly Requirement[] {
  const has = (pattern: RegExp): boolean => files.some(({ path }) => pattern.test(path) && !ASIDE.test(path));
  return [
    ...(has(C) ? [toolRequirement("cc", "compiles C")] : []),
    ...(has(CXX) ? [toolRequirement("c++", "compiles C++")] : []),
  ];
}

/** A step of a native build. */
export function nativeRun(
  title: string,
  run: DraftRun["run"],
  env: Readonly<Record<string, string>>,
  why: string | null = null,
): DraftRun {
  return { kind: "run", title, why, run, dir: null, env, timeoutMs: BUILD_TIMEOUT_MS, network: [] };
}

/**
 * A step that puts launchers where nothing else did: each missing `bin/NAME` is copied from the first executable file of
 * that name below the folder, the shallowest first.
 * @param folder as `sh` reads it: `.` or `"$TMPDIR/build"`
 * @param places launcher to the path of the built file below the folder, where it is known
 */
export function collectLaunchers(
  bins: readonly string[],
  folder: string,
  places: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
  why: string,
): DraftRun {
  const lines = ['mkdir -p "$IPM_PREFIX/bin"', `cd ${folder}`];
  const searched = bins.filter((bin) => places[bin] === undefined);
  for (const bin of bins) {
    const place = places[bin];
    if (place !== undefined) lines.push(shellLine(["install", "-m", "755", "--", place, `{prefix}/bin/${bin}`]));
  }
  if (searched.length > 0) {
    lines.push(
      `for name in ${shellLine(searched)}; do`,
      '  [ -e "$IPM_PREFIX/bin/$name" ] && continue',
      // Executable for its owner: `-executable` is not known to every find.
      '  found=$(find . -name .git -prune -o -type f -name "$name" -perm -100 -print | awk -F/ \'{ print NF, $0 }\' | sort -n | head -n 1 | cut -d" " -f2-)',
      '  [ -n "$found" ] || { echo "the build made no program $name" >&2; exit 1; }',
      '  install -m 755 "$found" "$IPM_PREFIX/bin/$name"',
      "done",
    );
  }
  return nativeRun(
    bins.length === 1 ? `copy ${bins[0] ?? ""} to bin` : "copy the programs to bin",
    lines.join("\n"),
    env,
    why,
  );
}
