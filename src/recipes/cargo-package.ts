import { integrityOfHex } from "../core/canonical-json.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Requirement } from "../manifest/manifest.ts";
import type { PackageReference } from "../manifest/package-reference.ts";
import { readCargoTree } from "./cargo-tree.ts";
import { NO_FACTS } from "./candidate.ts";
import { flagOption, textOption, wordsOption } from "./options.ts";
import { invalidLock, unusablePackage } from "./package-failure.ts";
import type { LockFacts, PackageAnswer, PackageInput, PackageQuery, PackageRecipe } from "./package-recipe.ts";
import { BUILD_TIMEOUT_MS, type DraftRun, type RecipeOutput } from "./recipe.ts";
import { parseToml, tomlText, tomlTexts } from "./toml.ts";

const ID = "cargo";
const CRATE = "crate.toml";
const LOCK = "Cargo.lock";
/** What stands in the entry's Cargo.lock where the crate brings its own: its checksum covers that one. */
const OWN_LOCK = "# The crate's own Cargo.lock, which its checksum covers.\n";
/** How a Cargo.lock names crates.io, wherever this machine's mirror of it is. */
const CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index";
const VERSION = /^\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/u;
const BUILD_TOOLS = ["cmake", "pkg-config"];

/** What ipm's own file in the lock says of the crate. */
interface CrateFile {
  readonly name: string;
  readonly version: string;
  /** sha256 of the `.crate`, in hex. */
  readonly checksum: string;
  /** How many crates the Cargo.lock pins. */
  readonly packages: number;
  readonly rustVersion: string | null;
  readonly bins: readonly string[];
  /** Programs that crates of the lock are known to call. */
  readonly tools: readonly string[];
}

function readCrateFile(text: string | undefined): CrateFile | undefined {
  const document = parseToml(text ?? "");
  if (document === null) return undefined;
  const { root } = document;
  const one = (key: string): string => tomlText(root, key) ?? "";
  const rustVersion = tomlText(root, "rust-version");
  const names = [...tomlTexts(root, "bins"), ...tomlTexts(root, "tools")];
  const isFine =
    /^[0-9a-f]{64}$/u.test(one("checksum")) &&
    VERSION.test(one("version")) &&
    (rustVersion === null || /^\d+\.\d+(?:\.\d+)?$/u.test(rustVersion)) &&
    names.every((name) => /^[A-Za-z0-9_][\w.-]*$/u.test(name));
  if (!isFine) return undefined;
  return {
    name: one("name"),
    version: one("version"),
    checksum: one("checksum"),
    packages: Number(one("packages")) || 1,
    rustVersion,
    bins: tomlTexts(root, "bins"),
    tools: tomlTexts(root, "tools"),
  };
}

function formatCrateFile(file: CrateFile): string {
  const list = (names: readonly string[]): string => `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;
  return [
    `name = ${JSON.stringify(file.name)}`,
    `version = ${JSON.stringify(file.version)}`,
    `checksum = ${JSON.stringify(file.checksum)}`,
    `packages = "${file.packages}"`,
    ...(file.rustVersion === null ? [] : [`rust-version = ${JSON.stringify(file.rustVersion)}`]),
    `bins = ${list(file.bins)}`,
    ...(file.tools.length === 0 ? [] : [`tools = ${list(file.tools)}`]),
    "",
  ].join("\n");
}

/** The packages of a Cargo.lock, each as the lines of its table. */
function packagesOf(lock: string): Readonly<Record<string, string>>[] {
  return lock
    .split("[[package]]")
    .slice(1)
    .map((table) =>
      Object.fromEntries(
        [...table.matchAll(/^([a-z]+) = "([^"]*)"$/gmu)].map(([, key = "", value = ""]) => [key, value]),
      ),
    );
}

/**
 * Check a lock of Cargo: the crate by its sha256 in a file of ipm's, and a Cargo.lock with a sha256 of each crate that it
 * needs. Most crates bring that one themselves; then the crate's own hash covers it.
 */
function readLock(lock: Readonly<Record<string, string>>, reference: PackageReference, version: string): LockFacts {
  const refuse = (why: string): never => {
    throw invalidLock(reference, version, why);
  };
  const crate = readCrateFile(lock[CRATE]);
  if (crate === undefined) return refuse(`${CRATE} does not name a crate with its checksum`);
  if (crate.name !== reference.name || crate.version !== version)
    refuse(`it pins ${escapeUntrusted(`${crate.name} ${crate.version}`)}`);
  const text = lock[LOCK] ?? "";
  if (text !== OWN_LOCK) {
    const packages = packagesOf(text);
    const own = packages.filter(({ source }) => source === undefined);
    if (own.length !== 1 || own[0]?.["name"] !== crate.name || own[0]["version"] !== version)
      refuse(`${LOCK} was made for another crate`);
    for (const { name = "", source, checksum } of packages) {
      if (source === undefined) continue;
      if (source !== CRATES_IO) refuse(`${escapeUntrusted(name)} does not come from crates.io`);
      if (!/^[0-9a-f]{64}$/u.test(checksum ?? "")) refuse(`${escapeUntrusted(name)} has no checksum`);
    }
  }
  return { integrity: integrityOfHex("sha256", crate.checksum), packages: crate.packages };
}

function buildTool(tool: string, why: string, version: string | null = null): Requirement {
  return { tool, version, for: "build", optional: false, why };
}

function cargoStep(
  title: string,
  run: DraftRun["run"],
  env: Readonly<Record<string, string>>,
  network: readonly string[],
  why: string | null,
): DraftRun {
  const common = { CARGO_TERM_PROGRESS_WHEN: "never", CARGO_INCREMENTAL: "0", ...env };
  return { kind: "run", title, why, run, dir: null, env: common, timeoutMs: BUILD_TIMEOUT_MS, network };
}

function expand(input: PackageInput): RecipeOutput {
  const { options, bins } = input;
  const { name } = input.package;
  const crate = readCrateFile(input.lock[CRATE]);
  if (crate === undefined) throw invalidLock(input.package, input.version, `${CRATE} cannot be read`);
  const file = `${name}-${crate.version}.crate`;
  const isOwnLock = input.lock[LOCK] === OWN_LOCK;
  const features = wordsOption(ID, options, "features");
  const picked = wordsOption(ID, options, "bins");
  const wanted = picked.length > 0 ? picked : bins.filter((bin) => crate.bins.includes(bin));
  const isAll = wanted.length < bins.length && picked.length === 0;
  const profile = textOption(ID, options, "profile");
  const install: [string, ...string[]] = [
    ...(["cargo", "install", "--path", "crate", "--no-track", "--locked", "--offline"] as const),
    ...(flagOption(ID, options, "default-features") === false ? ["--no-default-features"] : []),
    ...(flagOption(ID, options, "all-features") === true ? ["--all-features"] : []),
    ...(features.length > 0 ? ["--features", features.join(",")] : []),
    ...(profile === null ? [] : ["--profile", profile]),
    ...(isAll ? [] : wanted.flatMap((bin) => ["--bin", bin])),
  ];
  const missing = bins.filter((bin) => !crate.bins.includes(bin) && !picked.includes(bin));
  return {
    steps: [
      cargoStep(
        "unpack the crate",
        [
          "mkdir crate",
          `tar -xzf "$TMPDIR/ipm-downloads/${file}" -C crate --strip-components 1`,
          ...(isOwnLock ? [] : [`cp ${LOCK} crate/${LOCK}`]),
        ].join("\n"),
        {},
        [],
        isOwnLock ? null : `with the ${LOCK} of the entry: the crate has none`,
      ),
      cargoStep(
        "cargo fetch",
        `cargo fetch --locked --manifest-path crate/Cargo.toml --target "$(rustc -vV | sed -n 's/^host: //p')"`,
        {},
        ["crates"],
        `what its ${LOCK} pins, each crate by its sha256`,
      ),
      cargoStep(
        `cargo install ${name}`,
        install,
        { CARGO_INSTALL_ROOT: "{prefix}" },
        [],
        "compiled without network, as build scripts of crates run here",
      ),
    ],
    requires: [
      buildTool("cargo", "compiles the tool", crate.rustVersion === null ? null : `>=${crate.rustVersion}`),
      buildTool("cc", "links the program"),
      ...crate.tools.map((tool) => buildTool(tool, "a crate builds a library in C with it")),
    ],
    bins: {},
    downloads: [
      {
        file,
        url: `https://static.crates.io/crates/${name}/${file}`,
        sha256: crate.checksum,
        bytes: null,
        ecosystem: "crates",
      },
    ],
    notices: missing.length === 0 ? [] : [`${name} has no program ${missing.join(", ")}`],
  };
}

const ANSWERS = {
  resolved: "Cargo.lock",
  manifest: "crate-manifest",
  lock: "crate-lock",
  files: "crate-files",
} as const;

/**
 * Cargo resolves a package that needs nothing but the crate: that is its version and its checksum. `cargo info` then brings
 * the crate itself. Names come from the environment: nothing of a registry or a manifest is ever part of a script.
 */
const ASK = `
mkdir src
: > src/lib.rs
printf '[package]\\nname = "ipm-package"\\nversion = "0.0.0"\\nedition = "2021"\\n\\n[dependencies]\\n%s = "%s"\\n' "$IPM_PACKAGE" "$IPM_WANTED" > Cargo.toml
cargo generate-lockfile
version=$(grep -A 1 "^name = \\"$IPM_PACKAGE\\"$" ${ANSWERS.resolved} | sed -n 's/^version = "\\(.*\\)"$/\\1/p' | head -n 1)
cargo info --quiet "$IPM_PACKAGE@$version" > /dev/null
mkdir "$TMPDIR/ask"
tar -xzf "\${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$IPM_PACKAGE-$version.crate" -C "$TMPDIR/ask" --strip-components 1
cp "$TMPDIR/ask/Cargo.toml" ${ANSWERS.manifest}
(cd "$TMPDIR/ask" && find . -type f) > ${ANSWERS.files}
[ -f "$TMPDIR/ask/${LOCK}" ] || (cd "$TMPDIR/ask" && cargo generate-lockfile)
cp "$TMPDIR/ask/${LOCK}" ${ANSWERS.lock}
`.trim();

function ask(reference: PackageReference, version: string | null): PackageQuery {
  const env = { IPM_PACKAGE: reference.name, IPM_WANTED: version === null ? "*" : `=${version}` };
  return {
    step: cargoStep(`ask cargo for ${reference.name}`, ASK, env, ["crates"], null),
    files: {},
    requires: [buildTool("cargo", "asks the registry", ">=1.82")],
    answers: Object.values(ANSWERS),
  };
}

/** Programs that the crates of a lock are known to call when they are built. */
function toolsOf(lock: string): string[] {
  return BUILD_TOOLS.filter((tool) => tool === "cmake" && /^name = "(?:cmake|aws-lc-sys)"$/mu.test(lock));
}

function read(answers: Readonly<Record<string, string>>, reference: PackageReference): PackageAnswer {
  const { name } = reference;
  const found = packagesOf(answers[ANSWERS.resolved] ?? "").find((one) => one["name"] === name);
  const version = found?.["version"] ?? "";
  const checksum = found?.["checksum"] ?? "";
  const listing = (answers[ANSWERS.files] ?? "").split("\n").map((line) => line.replace(/^\.\//u, ""));
  const files = listing.filter((path) => path !== "").map((path) => ({ path, executable: false }));
  const tree = readCargoTree({ files, texts: { "Cargo.toml": answers[ANSWERS.manifest] ?? "" } });
  const crate = tree.packages.find(({ folder }) => folder === "");
  const cargoLock = answers[ANSWERS.lock] ?? "";
  if (!VERSION.test(version) || crate === undefined || cargoLock === "")
    throw unusablePackage(reference, "cargo gave no answer that can be read");
  if (crate.bins.length === 0) throw unusablePackage(reference, "it is a library, it has no program");
  const isOwnLock = files.some(({ path }) => path === LOCK);
  const packages = packagesOf(cargoLock).length;
  const file: CrateFile = {
    name,
    version,
    checksum,
    packages,
    rustVersion: crate.rustVersion,
    bins: crate.bins,
    tools: toolsOf(cargoLock),
  };
  const lock = { [CRATE]: formatCrateFile(file), [LOCK]: isOwnLock ? OWN_LOCK : cargoLock };
  const { integrity } = readLock(lock, reference, version);
  const repository = tomlText(parseToml(answers[ANSWERS.manifest] ?? "")?.root ?? {}, "package", "repository");
  return {
    version,
    prerelease: version.includes("-"),
    integrity,
    lock,
    about: { ...NO_FACTS, ...crate.about, name, version, ...(repository === null ? {} : { homepage: repository }) },
    bins: crate.bins,
    notices: isOwnLock ? [] : [`${name} brings no ${LOCK}: the entry has one with the versions of today`],
  };
}

/** A program of crates.io: its crate, checked by ipm, built without network by a Cargo.lock with a sha256 of each crate. */
export const cargoPackage: PackageRecipe = {
  options: {
    features: "features to turn on: [pcre2]",
    "default-features": "false: without the default features",
    "all-features": "true: with every feature",
    bins: "programs to build; default: those with a launcher's name",
    profile: "a build profile of the package; default: release",
  },
  lockFiles: [CRATE, LOCK],
  readLock,
  expand,
  ask,
  read,
};
