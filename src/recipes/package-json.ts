import { IpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import type { PackageFacts } from "./candidate.ts";
import { type SourceFile, folderOf, hasFile, insidePath, lineOfMatch, nameOf } from "./listing.ts";

/** What a `package.json` says that matters for installing from a checkout. */
export interface PackageJson {
  readonly name: string;
  /** Command to the file in the package, in normal form; those that leave the package are left out. */
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  /** `engines.node`, or null. */
  readonly nodeRange: string | null;
  /** `packageManager` without its hash: `pnpm@10.4.1`; null for anything else. */
  readonly packageManager: { readonly name: string; readonly version: string } | null;
  readonly hasDependencies: boolean;
  readonly hasDevDependencies: boolean;
  /** Packages that it expects beside it and that an installer of npm packages brings: optional ones are not. */
  readonly peers: readonly string[];
  /** Those of `peers` that are there for development too; for package managers the latter is what counts. */
  readonly developedPeers: readonly string[];
  /** Globs of the workspaces; empty for a single package. */
  readonly workspaces: readonly string[];
  readonly about: PackageFacts;
}

/** Programs that set up git hooks for developers and build nothing. */
const HOOK_MANAGER =
  /^(?:(?:npx|pnpm|yarn|bunx|pnpm exec|npm exec|is-ci \|\|)\s+)*(?:husky|is-ci|simple-git-hooks|lefthook|pre-commit|yorkie|ghooks|git config)\b/u;

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

function binOf(value: Record<string, unknown>, name: string, files: readonly SourceFile[]): Record<string, string> {
  const own = name.slice(name.indexOf("/") + 1);
  const declared = typeof value["bin"] === "string" ? { [own]: value["bin"] } : textsOf(value["bin"]);
  const found = Object.fromEntries(
    Object.entries(declared).flatMap(([command, file]) => {
      const inside = insidePath(file);
      return inside === undefined || inside === "." ? [] : [[command, inside]];
    }),
  );
  const folder = isRecord(value["directories"]) ? textOf(value["directories"]["bin"]) : null;
  const inside = folder === null ? undefined : insidePath(folder);
  if (Object.keys(found).length > 0 || inside === undefined) return found;
  const inFolder = files.filter(({ path }) => path.startsWith(`${inside}/`));
  return Object.fromEntries(inFolder.map(({ path }) => [nameOf(path), path]));
}

const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/iu;

/** Peers that are not optional, by names that can be written on a command line. */
function peersOf(value: Record<string, unknown>): string[] {
  const meta = isRecord(value["peerDependenciesMeta"]) ? value["peerDependenciesMeta"] : {};
  return Object.keys(textsOf(value["peerDependencies"])).filter((name) => {
    const said = Object.hasOwn(meta, name) ? meta[name] : null;
    return PACKAGE_NAME.test(name) && !(isRecord(said) && said["optional"] === true);
  });
}

/**
 * Read a package.json. Pure.
 * @param files the listing of the package's own folder
 * @param isRoot the root of a workspace, which is published nowhere and needs no name
 * @throws IpmError MANIFEST_INVALID for one that is no JSON or has no usable name
 */
export function parsePackageJson(
  text: string,
  files: readonly SourceFile[],
  file = "package.json",
  isRoot = false,
): PackageJson {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/u, ""));
  } catch (error) {
    throw new IpmError("MANIFEST_INVALID", `recipe npm: ${file} is not JSON`, {
      hint: "use plain steps",
      cause: error,
    });
  }
  const name = isRecord(value) ? (value["name"] ?? (isRoot ? "workspace" : undefined)) : undefined;
  if (!isRecord(value) || typeof name !== "string" || !PACKAGE_NAME.test(name)) {
    throw new IpmError("MANIFEST_INVALID", `recipe npm: ${file} has no usable name`, { hint: "use plain steps" });
  }
  const record = value;
  const engines = isRecord(value["engines"]) ? textOf(value["engines"]["node"]) : null;
  const manager = /^(npm|pnpm|yarn|bun)@(\d+(?:\.\d+){0,2}(?:-[\w.]+)?)(?:\+.*)?$/u.exec(
    textOf(value["packageManager"]) ?? "",
  );
  const has = (key: string): boolean => Object.keys(textsOf(record[key])).length > 0;
  const peers = peersOf(record);
  const globs = isRecord(value["workspaces"]) ? value["workspaces"]["packages"] : value["workspaces"];
  const repository = isRecord(value["repository"]) ? textOf(value["repository"]["url"]) : textOf(value["repository"]);
  const keywords = Array.isArray(value["keywords"]) ? value["keywords"] : [];
  return {
    name,
    bin: binOf(value, name, files),
    scripts: textsOf(value["scripts"]),
    nodeRange: engines !== null && engines.length <= 100 ? engines : null,
    packageManager:
      manager?.[1] === undefined || manager[2] === undefined ? null : { name: manager[1], version: manager[2] },
    hasDependencies: has("dependencies") || has("optionalDependencies"),
    hasDevDependencies: has("devDependencies"),
    peers,
    developedPeers: peers.filter((peer) => Object.hasOwn(textsOf(record["devDependencies"]), peer)),
    workspaces: Array.isArray(globs) ? globs.filter((glob): glob is string => typeof glob === "string") : [],
    about: {
      name,
      version: textOf(value["version"]),
      summary: textOf(value["description"]),
      license: textOf(value["license"]),
      homepage: textOf(value["homepage"]) ?? repository,
      keywords: keywords.filter((word): word is string => typeof word === "string"),
    },
  };
}

/** True when a script does more than set up git hooks. */
export function buildsSomething(script: string | undefined): boolean {
  if (script === undefined) return false;
  return script
    .split(/&&|;|\n|\|\|(?!\s*(?:husky|true|exit|:))/u)
    .map((part) => part.replace(/\|\|.*$/u, "").trim())
    .some((part) => part !== "" && !HOOK_MANAGER.test(part) && !/^(?:true|:|exit 0|echo\b.*)$/u.test(part));
}

/**
 * The script that makes what is missing: `build`, else a `prepare`, `prepack` or `prepublishOnly` that is more than a
 * hook manager's. Undefined when there is none.
 */
export function buildScriptOf(scripts: Readonly<Record<string, string>>): string | undefined {
  return ["build", "prepare", "prepack", "prepublishOnly"].find((name) => buildsSomething(scripts[name]));
}

/** Node resolves `bin: cli` to `cli.js` when only that exists; the launcher needs the file itself. */
export function existingTarget(files: readonly SourceFile[], target: string): string | undefined {
  return [target, `${target}.js`, `${target}.cjs`, `${target}.mjs`].find((candidate) => hasFile(files, candidate));
}

const IMPORTS = /(?:\brequire\(|\bimport\(|\bfrom\s+|^[ \t]*import\s+)\s*["'](\.{1,2}\/[^"'\n]+)["']/gmu;

const MAX_IMPORTS = 100;
/** A bundle holds what it needs; its first megabyte says enough. */
const MAX_LAUNCHER_LENGTH = 1024 * 1024;

/** What a launcher's file loads at once from its own package and the listing does not have: then it must be built. */
export function missingImport(files: readonly SourceFile[], target: string, text: string): string | undefined {
  const folder = folderOf(target);
  let count = 0;
  for (const match of text.slice(0, MAX_LAUNCHER_LENGTH).matchAll(IMPORTS)) {
    if (++count > MAX_IMPORTS) return undefined;
    const path = insidePath(`${folder}/${match[1] ?? ""}`.replace(/^\//u, ""));
    if (path === undefined || path.startsWith("node_modules/")) continue;
    const endings = [
      "",
      ".js",
      ".cjs",
      ".mjs",
      ".json",
      ".node",
      "/index.js",
      "/index.cjs",
      "/index.mjs",
      "/package.json",
    ];
    const isThere = path === "." || endings.some((ending) => hasFile(files, `${path}${ending}`));
    if (!isThere) return path;
  }
  return undefined;
}

/** `package.json:12 what`, by the first line with this key. */
export function evidenceOf(file: string, text: string, key: string, what: string): string[] {
  const line = lineOfMatch(text, new RegExp(`"${key}"\\s*:`, "u"));
  return line === 0 ? [] : [`${file}:${line} ${what}`];
}
