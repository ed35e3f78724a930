import type { PackageFacts } from "./candidate.ts";
import { type SourceFile, folderOf, hasFile, insidePath, nameOf } from "./listing.ts";
import {
  type TomlDocument,
  type TomlTable,
  parseToml,
  tomlAt,
  tomlTable,
  tomlTables,
  tomlText,
  tomlTexts,
} from "./toml.ts";

/** One package of a checkout. */
export interface CargoPackage {
  readonly name: string;
  /** Its folder in the listing; the root is the empty text. */
  readonly folder: string;
  readonly bins: readonly string[];
  readonly examples: readonly string[];
  /** Oldest Rust that compiles it: `rust-version`, else what its edition needs; null when neither says. */
  readonly rustVersion: string | null;
  readonly evidence: readonly string[];
  readonly about: Partial<PackageFacts>;
}

/** What the `Cargo.toml` files of a listing and its lockfile say together. */
export interface CargoTree {
  /** The root's first, then by path. */
  readonly packages: readonly CargoPackage[];
  /** Text of Cargo.lock, or null when there is none in the listing. */
  readonly lock: string | null;
  readonly lockFile: string | null;
  /** There is one here or, for a member of a workspace whose root is above the listing, there. */
  readonly hasLock: boolean;
  /** Crates must be fetched: some package is not of this checkout. */
  readonly fetches: boolean;
  /** Hosts of crates that come from git repositories. */
  readonly gitHosts: readonly string[];
  /** What a toolchain file asks for, or null. */
  readonly toolchain: string | null;
}

/** The first Rust that knows an edition. */
const EDITIONS: Readonly<Record<string, string>> = { "2018": "1.31", "2021": "1.56", "2024": "1.85" };
const NAME = /^[A-Za-z_][\w-]{0,63}$/u;

interface ReadInput {
  readonly files: readonly SourceFile[];
  readonly texts: Readonly<Record<string, string>>;
}

function inherits(table: TomlTable, key: string): boolean {
  return tomlAt(table, key, "workspace") === true;
}

/** Names of `src/bin/*.rs`, `src/bin/NAME/main.rs` and their like below `examples`. */
function discovered(files: readonly SourceFile[], folder: string, place: string): string[] {
  const root = folder === "" ? `${place}/` : `${folder}/${place}/`;
  return files.flatMap(({ path }) => {
    if (!path.startsWith(root)) return [];
    const name = /^([^/]+)(?:\.rs|\/main\.rs)$/u.exec(path.slice(root.length))?.[1];
    return name === undefined || !NAME.test(name) ? [] : [name];
  });
}

function targetsOf(document: TomlDocument, key: "bin" | "example"): string[] {
  return tomlTables(document.root, key)
    .map((target) => tomlText(target, "name"))
    .filter((name): name is string => name !== null && NAME.test(name));
}

function binsOf(document: TomlDocument, files: readonly SourceFile[], folder: string, name: string): string[] {
  const own = (path: string): string => (folder === "" ? path : `${folder}/${path}`);
  const declared = tomlTables(document.root, "bin");
  const declaredNames = targetsOf(document, "bin");
  if (tomlAt(document.root, "package", "autobins") === false) return declaredNames;
  // A target that is declared under another name is not found a second time by its file.
  const taken = new Set(declared.map((target) => insidePath(tomlText(target, "path") ?? "") ?? ""));
  const found = discovered(files, folder, "src/bin").filter(
    (bin) => !taken.has(`src/bin/${bin}.rs`) && !taken.has(`src/bin/${bin}/main.rs`),
  );
  const hasMain = hasFile(files, own("src/main.rs")) && !taken.has("src/main.rs");
  // `[[bin]]` of another name without a path stands for src/main.rs when it is the only one.
  const isMainRenamed =
    declaredNames.length === 1 &&
    tomlText(declared[0] ?? {}, "path") === null &&
    !found.includes(declaredNames[0] ?? "");
  return [...new Set([...(hasMain && !isMainRenamed ? [name] : []), ...declaredNames, ...found])];
}

/** The newest of the versions, or null. */
function newest(versions: readonly (string | null | undefined)[]): string | null {
  const numbers = (text: string): number[] => text.split(".").map(Number);
  return versions
    .filter((text): text is string => typeof text === "string" && /^\d+\.\d+(?:\.\d+)?$/u.test(text))
    .reduce<string | null>((best, text) => {
      if (best === null) return text;
      const [a, b] = [numbers(best), numbers(text)];
      const at = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
      return at !== undefined && (b[at] ?? 0) > (a[at] ?? 0) ? text : best;
    }, null);
}

function packageOf(
  file: string,
  document: TomlDocument,
  shared: TomlTable,
  files: readonly SourceFile[],
): CargoPackage | null {
  const own = tomlTable(document.root, "package");
  const name = tomlText(own, "name");
  if (name === null || !NAME.test(name)) return null;
  const folder = folderOf(file);
  const text = (key: string): string | null => tomlText(inherits(own, key) ? shared : own, key);
  const list = (key: string): readonly string[] => tomlTexts(inherits(own, key) ? shared : own, key);
  const edition = text("edition");
  const firstBin = targetsOf(document, "bin")[0];
  return {
    name,
    folder,
    bins: binsOf(document, files, folder, name),
    examples: [...new Set([...targetsOf(document, "example"), ...discovered(files, folder, "examples")])],
    rustVersion: newest([text("rust-version"), edition === null ? null : EDITIONS[edition]]),
    evidence: [
      `${file}:${document.lineOf("package", "name") || document.lineOf("package")} package ${name}`,
      ...(firstBin === undefined ? [] : [`${file}:${document.lineOf("bin")} program ${firstBin}`]),
    ],
    about: {
      name,
      version: text("version"),
      summary: text("description"),
      license: text("license"),
      homepage: text("homepage") ?? text("repository"),
      keywords: list("keywords"),
    },
  };
}

/** True for a manifest with a dependency that is not a folder of this checkout. */
function dependsOnOthers(document: TomlDocument): boolean {
  const isOther = (value: unknown): boolean =>
    !(
      typeof value === "object" &&
      value !== null &&
      ("path" in value || ("workspace" in value && value.workspace === true))
    );
  const tables = (root: TomlTable): TomlTable[] =>
    ["dependencies", "build-dependencies", "dev-dependencies"].map((key) => tomlTable(root, key));
  const targets = Object.keys(tomlTable(document.root, "target")).map((name) =>
    tomlTable(document.root, "target", name),
  );
  return [document.root, tomlTable(document.root, "workspace"), ...targets]
    .flatMap(tables)
    .some((table) => Object.values(table).some(isOther));
}

/** Read what the texts of a listing say about its Cargo packages. Pure; a malformed file counts as absent. */
export function readCargoTree({ files, texts }: ReadInput): CargoTree {
  const documents = Object.entries(texts)
    .filter(([file]) => nameOf(file) === "Cargo.toml")
    .toSorted(([a], [b]) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1))
    .flatMap(([file, text]) => {
      const document = parseToml(text);
      return document === null ? [] : [{ file, document }];
    });
  const root = documents.find(({ file }) => file === "Cargo.toml")?.document;
  const shared = root === undefined ? tomlTable({}) : tomlTable(root.root, "workspace", "package");
  const packages = documents
    .map(({ file, document }) => packageOf(file, document, shared, files))
    .filter((found) => found !== null);
  const lock = texts["Cargo.lock"] ?? null;
  const isMemberOfAbove =
    root !== undefined &&
    tomlAt(root.root, "workspace") === undefined &&
    /\bworkspace\s*=\s*true\b/u.test(texts["Cargo.toml"] ?? "");
  const toolchainToml = texts["rust-toolchain.toml"] ?? texts["rust-toolchain"];
  const toolchainDocument = toolchainToml === undefined ? null : parseToml(toolchainToml);
  return {
    packages,
    lock,
    lockFile: hasFile(files, "Cargo.lock") ? "Cargo.lock" : null,
    hasLock: hasFile(files, "Cargo.lock") || isMemberOfAbove,
    fetches:
      lock === null
        ? isMemberOfAbove || documents.some(({ document }) => dependsOnOthers(document))
        : /^source = /mu.test(lock),
    gitHosts: [
      ...new Set([...(lock ?? "").matchAll(/^source = "git\+https:\/\/([\w.-]+)\//gmu)].map((match) => match[1] ?? "")),
    ],
    toolchain:
      toolchainDocument === null
        ? (toolchainToml?.trim().slice(0, 60) ?? null)
        : tomlText(toolchainDocument.root, "toolchain", "channel"),
  };
}
