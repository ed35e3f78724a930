import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import { cargoPackage } from "./cargo-package.ts";
import { type CargoPackage, type CargoTree, readCargoTree } from "./cargo-tree.ts";
import { type SourceFile, hasFile, nameOf } from "./listing.ts";
import { flagOption, textOption, wordsOption } from "./options.ts";
import {
  BUILD_TIMEOUT_MS,
  type DraftRun,
  type Recipe,
  type RecipeInput,
  type RecipeOutput,
  type WorkspaceOutput,
} from "./recipe.ts";

const ID = "cargo";
const MAX_MANIFESTS = 100;
/** Crates that compile C, and so need more than a linker; what they build is known by their names only. */
const NEEDS_CMAKE = /^name = "(?:cmake|aws-lc-sys)"$/mu;
const NEEDS_PKG_CONFIG = /^name = "pkg-config"$/mu;
const ASIDE = /(?:^|\/)(?:target|vendor|node_modules|tests?|fixtures?|fuzz|examples?|benches)\//u;

/** Every `Cargo.toml` that may be a member: not those of fixtures, vendored crates and fuzzing, which are workspaces of their own. */
function manifestsOf(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path }) => path)
    .filter((path) => nameOf(path) === "Cargo.toml" && !ASIDE.test(path))
    .toSorted((a, b) => a.split("/").length - b.split("/").length)
    .slice(0, MAX_MANIFESTS);
}

function invalid(message: string, hint: string): IpmError {
  return new IpmError("MANIFEST_INVALID", `recipe cargo: ${message}`, { hint });
}

/** Packages whose only use is the development of the others. */
function isForDevelopment({ name, folder }: CargoPackage): boolean {
  return /^(?:xtask|xtasks|fuzz|benches|dev-tools?)$/u.test(name) || /(?:^|\/)xtask$/u.test(folder);
}

/** The package to install: the one that the manifest names, else the only one that makes the wanted launchers. */
function choosePackage(tree: CargoTree, input: RecipeInput): CargoPackage {
  const wanted = textOption(ID, input.options, "package");
  if (wanted !== null) {
    const found = tree.packages.find(({ name, folder }) => name === wanted || folder === wanted);
    if (found !== undefined) return found;
    throw invalid(
      `there is no package ${wanted} in the workspace`,
      `the packages are ${tree.packages.map(({ name }) => name).join(", ")}`,
    );
  }
  const root = tree.packages.find(({ folder }) => folder === "");
  const makes = (one: CargoPackage): boolean => input.bins.some((bin) => one.bins.includes(bin));
  if (root !== undefined && (makes(root) || tree.packages.length === 1)) return root;
  const members = tree.packages.filter((one) => !isForDevelopment(one));
  const makers = members.filter(makes);
  const [only, another] = makers.length > 0 ? makers : members.filter(({ bins }) => bins.length > 0);
  if (only !== undefined && another === undefined) return only;
  if (root !== undefined) return root;
  if (only === undefined) throw invalid("no package of the workspace makes a program", "use plain steps");
  throw invalid(
    `several packages of the workspace make programs: ${members
      .filter(({ bins }) => bins.length > 0)
      .map(({ name, bins }) => `${name} (${bins.join(", ")})`)
      .join(", ")}`,
    "name one: with: { package: NAME }",
  );
}

function requirement(tool: string, version: string | null, why: string): Requirement {
  return { tool, version, for: "build", optional: false, why };
}

function requirementsOf(tree: CargoTree, chosen: CargoPackage): Requirement[] {
  return [
    requirement("cargo", chosen.rustVersion === null ? null : `>=${chosen.rustVersion}`, "compiles the tool"),
    requirement("cc", null, "links the program"),
    ...(tree.lock !== null && NEEDS_CMAKE.test(tree.lock)
      ? [requirement("cmake", null, "a crate compiles C with it")]
      : []),
    ...(tree.lock !== null && NEEDS_PKG_CONFIG.test(tree.lock)
      ? [{ ...requirement("pkg-config", null, "a crate looks for a system library with it"), optional: true }]
      : []),
  ];
}

function expand(input: RecipeInput): RecipeOutput {
  const tree = readCargoTree(input);
  if (tree.packages.length === 0) {
    throw invalid("the repository has no Cargo.toml with a package here", "set source.path, or use plain steps");
  }
  const { options } = input;
  const chosen = choosePackage(tree, input);
  const features = wordsOption(ID, options, "features");
  const examples = wordsOption(ID, options, "examples");
  const ownBins = input.bins.filter((bin) => chosen.bins.includes(bin));
  // What makes no launcher is not built. A launcher of another name may take any of the package's programs.
  const picked = wordsOption(ID, options, "bins");
  const bins = picked.length > 0 ? picked : ownBins.length === input.bins.length ? ownBins : [];
  const isLocked = tree.hasLock;
  const words: [string, ...string[]] = [
    "cargo",
    "install",
    "--path",
    chosen.folder === "" ? "." : chosen.folder,
    "--no-track",
  ];
  if (isLocked) words.push("--locked");
  if (!tree.fetches) words.push("--offline");
  if (flagOption(ID, options, "default-features") === false) words.push("--no-default-features");
  if (flagOption(ID, options, "all-features") === true) words.push("--all-features");
  if (features.length > 0) words.push("--features", features.join(","));
  const profile = textOption(ID, options, "profile");
  if (profile !== null) words.push("--profile", profile);
  if (chosen.bins.length > 0 || picked.length > 0) words.push(...bins.flatMap((bin) => ["--bin", bin]));
  words.push(...examples.flatMap((example) => ["--example", example]));
  const step: DraftRun = {
    kind: "run",
    title: `cargo install ${chosen.folder === "" ? chosen.name : `${chosen.name} (${chosen.folder})`}`,
    why: isLocked ? "the versions of Cargo.lock" : "the repository has no Cargo.lock",
    run: words,
    dir: null,
    env: {
      CARGO_INSTALL_ROOT: "{prefix}",
      CARGO_TERM_PROGRESS_WHEN: "never",
      CARGO_INCREMENTAL: "0",
    },
    timeoutMs: BUILD_TIMEOUT_MS,
    network: tree.fetches ? ["crates"] : [],
  };
  const notices: string[] = [];
  if (!isLocked && tree.fetches)
    notices.push("no Cargo.lock: the versions of its dependencies are whatever is newest today");
  if (tree.gitHosts.length > 0) {
    notices.push(
      `some crates come from git (${tree.gitHosts.join(", ")}): the step needs "network: [crates, ${tree.gitHosts.join(", ")}]"`,
    );
  }
  if (tree.toolchain !== null && /nightly|beta/u.test(tree.toolchain))
    notices.push(`the repository asks for Rust ${tree.toolchain}; it is built with the one that the plan names`);
  return {
    steps: [step],
    requires: requirementsOf(tree, chosen),
    bins: Object.fromEntries(input.bins.map((bin) => [bin, `bin/${bin}`])),
    notices,
  };
}

/** The checkout with everything of its workspace compiled into `target`, as `cargo build` does. */
function expandWorkspace(input: RecipeInput): WorkspaceOutput {
  const tree = readCargoTree(input);
  const [first] = tree.packages;
  if (first === undefined) {
    throw invalid("the repository has no Cargo.toml with a package here", "set source.path, or use plain steps");
  }
  const { options } = input;
  const features = wordsOption(ID, options, "features");
  const profile = textOption(ID, options, "profile");
  const wanted = textOption(ID, options, "package");
  const step: DraftRun = {
    kind: "run",
    title: "cargo build",
    why: tree.hasLock ? "the versions of Cargo.lock" : "the repository has no Cargo.lock",
    run: [
      "cargo",
      "build",
      ...(tree.hasLock ? ["--locked"] : []),
      ...(tree.fetches ? [] : ["--offline"]),
      ...(flagOption(ID, options, "default-features") === false ? ["--no-default-features"] : []),
      ...(flagOption(ID, options, "all-features") === true ? ["--all-features"] : []),
      ...(features.length > 0 ? ["--features", features.join(",")] : []),
      ...(profile === null ? [] : ["--profile", profile]),
      ...(wanted === null ? [] : ["--package", wanted]),
    ],
    dir: null,
    env: { CARGO_TERM_PROGRESS_WHEN: "never" },
    timeoutMs: BUILD_TIMEOUT_MS,
    network: tree.fetches ? ["crates"] : [],
  };
  return {
    steps: [step],
    requires: requirementsOf(tree, first).map((one) =>
      "tool" in one && one.tool === "cargo" ? { ...one, for: "both" } : one,
    ),
    notices:
      tree.hasLock || !tree.fetches
        ? []
        : ["no Cargo.lock: the versions of its dependencies are whatever is newest today"],
    environment: { path: [`target/${profile === null || profile === "dev" ? "debug" : profile}`], variables: {} },
  };
}

function detect(input: DetectInput): readonly Candidate[] {
  const tree = readCargoTree(input);
  const makers = tree.packages.filter((one) => one.bins.length > 0 && !isForDevelopment(one));
  const root = makers.find(({ folder }) => folder === "");
  // A root package with programs is the tool; else each member that makes some is one way.
  const chosen = root === undefined ? makers : [root];
  if (chosen.length === 0) {
    const [first] = tree.packages;
    if (first === undefined) return [];
    return [
      {
        ...draftOf(tree, first),
        confidence: "possible",
        options: first.examples.length > 0 ? { examples: first.examples } : {},
        bins: Object.fromEntries(first.examples.map((name) => [name, null])),
        doubts: ["a library: it has no program of its own"],
      },
    ];
  }
  return chosen.map((one) => ({
    ...draftOf(tree, one),
    confidence: chosen.length === 1 && one.folder === "" ? "certain" : "likely",
    options: one.folder === "" || chosen.length === 1 ? {} : { package: one.name },
  }));
}

function draftOf(tree: CargoTree, one: CargoPackage): Candidate {
  return {
    recipe: ID,
    dir: null,
    confidence: "likely",
    evidence: [...one.evidence, ...(tree.lockFile === null ? [] : [tree.lockFile])],
    bins: Object.fromEntries(one.bins.map((name) => [name, null])),
    requires: requirementsOf(tree, one),
    options: {},
    about: { ...NO_FACTS, ...one.about },
    doubts: tree.hasLock ? [] : ["no Cargo.lock: dependencies are not pinned"],
  };
}

/** A Rust package from the checkout, by `cargo install`. */
export const cargoRecipe: Recipe = {
  id: ID,
  summary: "Compile a Rust package of the checkout, or of its workspace, with the versions of its Cargo.lock.",
  options: {
    package: "the workspace's package to install, by name or folder; default: the only one that makes the launchers",
    features: "features to turn on: [pcre2]",
    "default-features": "false: without the default features",
    "all-features": "true: with every feature",
    bins: "programs to build; default: those with a launcher's name",
    examples: "examples to build and install like programs",
    profile: "a build profile of the package; default: release",
  },
  reads: ({ files }) => [
    ...manifestsOf(files),
    ...["Cargo.lock", "rust-toolchain.toml", "rust-toolchain"].filter((file) => hasFile(files, file)),
  ],
  expand,
  expandWorkspace,
  detectReads: (files) => [...manifestsOf(files).slice(0, 40), ...(hasFile(files, "Cargo.lock") ? ["Cargo.lock"] : [])],
  detect,
  package: cargoPackage,
};
