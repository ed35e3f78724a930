import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import { type GoMain, type GoModule, binaryName, goFilesToRead, readGoMains, readGoModule } from "./go-module.ts";
import { goPackage } from "./go-package.ts";
import { firstFile, insidePath } from "./listing.ts";
import { flagOption, listOption, textOption, wordsOption } from "./options.ts";
import { BUILD_TIMEOUT_MS, type DraftStep, type Recipe, type RecipeInput, type RecipeOutput } from "./recipe.ts";

const ID = "go";
const FILES = ["go.mod", "go.sum", "vendor/modules.txt"];
/** Modules that are wrappers of C libraries: without cgo they compile and then fail at run time, or do not compile. */
const CGO_MODULES =
  /^(?:github\.com\/mattn\/go-sqlite3|github\.com\/go-gl\/|github\.com\/hajimehoshi\/oto|github\.com\/libgit2\/git2go)/u;

function invalid(message: string, hint: string): IpmError {
  return new IpmError("MANIFEST_INVALID", `recipe go: ${message}`, { hint });
}

function moduleOf(input: Pick<RecipeInput, "texts" | "files">): GoModule {
  const module = readGoModule(input);
  if (module === null) throw invalid("the repository has no go.mod here", "set source.path, or use plain steps");
  return module;
}

/** What the go tool calls the program of each folder that is to be built, and which launcher takes it. */
interface Target {
  readonly folder: string;
  readonly binary: string;
  readonly launcher: string | null;
}

function targetOf(module: GoModule, folder: string, launcher: string | null): Target {
  return { folder, binary: binaryName(module, folder), launcher };
}

/** The main package of each wanted launcher: by its binary's name, else by its folder's, else the only one there is. */
function chooseTargets(input: RecipeInput, module: GoModule, mains: readonly GoMain[]): Target[] {
  const named = listOption(ID, input.options, "package").map((item) => {
    const folder = insidePath(item);
    if (folder === undefined || folder.startsWith("-"))
      throw invalid(`${item} is no folder of the repository`, "correct the option package");
    return folder === "." ? "" : folder;
  });
  const candidates = named.length > 0 ? named : mains.map(({ folder }) => folder);
  const targets = input.bins.flatMap((bin) => {
    const found = candidates.find((folder) => binaryName(module, folder) === bin);
    return found === undefined ? [] : [targetOf(module, found, bin)];
  });
  if (targets.length === input.bins.length && (named.length === 0 || targets.length >= named.length)) return targets;
  if (named.length > 0) {
    const only = named.length === 1 && input.bins.length === 1 ? (input.bins[0] ?? null) : null;
    return named.map((folder) => targets.find((target) => target.folder === folder) ?? targetOf(module, folder, only));
  }
  const missing = input.bins.filter((bin) => !targets.some(({ launcher }) => launcher === bin));
  // A repository `foo-cli` with one program whose launcher is `foo`; helpers of the build do not count.
  const tools = mains.filter(({ isTool }) => isTool);
  const [only, another] = tools.filter(({ folder }) => !targets.some((target) => target.folder === folder));
  const [bin] = missing;
  if (only !== undefined && another === undefined && missing.length === 1 && bin !== undefined)
    return [...targets, targetOf(module, only.folder, bin)];
  const root = mains.find(({ folder }) => folder === "");
  if (missing.length === 1 && bin !== undefined && root !== undefined && targets.length === 0)
    return [targetOf(module, "", bin)];
  if (mains.length === 0) throw invalid("no main package was found", "name one: with: { package: ./cmd/NAME }");
  throw invalid(
    `no main package makes ${missing.join(", ")}; there is ${mains.map(({ folder }) => `./${folder}`).join(", ")}`,
    "name one: with: { package: ./cmd/NAME }",
  );
}

function linkerFlags(input: RecipeInput, mains: readonly GoMain[], targets: readonly Target[]): string {
  const own = textOption(ID, input.options, "ldflags");
  const variables = wordsOption(ID, input.options, "version-variable");
  // A variable of another package is found by its name only where the manifest tells.
  // A commit has no version to tell: the default in the source says more than `0.0.0-<commit>`.
  const isUnreleased = /^0\.0\.0-[0-9a-f]{12}$/u.test(input.version);
  const found =
    variables.length > 0 || own !== null || isUnreleased
      ? variables
      : [
          ...new Set(
            targets.flatMap(({ folder }) => mains.find((main) => main.folder === folder)?.versionVariable ?? []),
          ),
        ].map((name) => `main.${name}`);
  return ["-s -w", ...found.map((name) => `-X ${name}=${input.version}`), ...(own === null ? [] : [own])].join(" ");
}

function expand(input: RecipeInput): RecipeOutput {
  const module = moduleOf(input);
  const { options } = input;
  const mains = readGoMains(input);
  const targets = chooseTargets(input, module, mains);
  const tags = wordsOption(ID, options, "tags");
  const asked = flagOption(ID, options, "cgo");
  const wrapped = module.requires.map(({ path }) => path).find((path) => CGO_MODULES.test(path));
  const cgo = asked ?? (wrapped !== undefined || mains.some(({ usesC }) => usesC));
  const isVendored = module.vendor === "consistent";
  const fetches = !isVendored && module.requires.some(({ isLocal }) => !isLocal);
  const mode = isVendored ? "vendor" : module.sumIsComplete ? "readonly" : "mod";
  const notices: string[] = [];
  if (module.vendor === "stale")
    notices.push("the vendor folder does not match go.mod: modules come from the module proxy instead");
  if (fetches && mode === "mod")
    notices.push("go.sum does not cover go.mod: it is completed from the checksum database");
  const folders = [...new Set(targets.map(({ folder }) => folder))];
  const steps: DraftStep[] = [
    {
      kind: "run",
      title: `go install ${folders.map((folder) => (folder === "" ? "." : `./${folder}`)).join(" ")}`,
      why: isVendored ? "the modules of the vendor folder" : fetches ? "the versions of go.mod" : null,
      run: [
        "go",
        "install",
        `-mod=${mode}`,
        "-trimpath",
        ...(tags.length > 0 ? [`-tags=${tags.join(",")}`] : []),
        `-ldflags=${linkerFlags(input, mains, targets)}`,
        ...folders.map((folder) => (folder === "" ? "." : `./${folder}`)),
      ],
      dir: null,
      env: {
        GOBIN: "{prefix}/bin",
        // Without it the module cache could not be removed afterwards.
        GOFLAGS: "-modcacherw",
        GOTOOLCHAIN: "local",
        CGO_ENABLED: cgo ? "1" : "0",
        ...(module.hasWorkFile && mode === "mod" ? { GOWORK: "off" } : {}),
      },
      timeoutMs: BUILD_TIMEOUT_MS,
      network: fetches ? ["go"] : [],
    },
  ];
  return { steps, requires: requirementsOf(module, cgo), bins: binsOf(input, targets), notices };
}

function binsOf(input: RecipeInput, targets: readonly Target[]): Record<string, string> {
  const bins: Record<string, string> = Object.fromEntries(input.bins.map((bin) => [bin, `bin/${bin}`]));
  for (const { launcher, binary } of targets) if (launcher !== null) bins[launcher] = `bin/${binary}`;
  return bins;
}

function requirementsOf(module: GoModule, cgo: boolean): Requirement[] {
  const go: Requirement = {
    tool: "go",
    version: module.goVersion === null ? null : `>=${module.goVersion}`,
    for: "build",
    optional: false,
    why: "compiles the tool",
  };
  return cgo
    ? [go, { tool: "cc", version: null, for: "build", optional: false, why: "compiles the parts in C" }]
    : [go];
}

function detect(input: DetectInput): readonly Candidate[] {
  const module = readGoModule(input);
  if (module === null) return [];
  const mains = readGoMains(input).filter(({ isTool }) => isTool);
  const name = binaryName(module, "");
  const root = mains.find(({ folder }) => folder === "");
  const chosen = root === undefined ? mains : [root];
  return [
    {
      recipe: ID,
      dir: null,
      confidence:
        chosen.length === 0
          ? "possible"
          : chosen.some(({ folder }) => folder === "" || folder.startsWith("cmd/"))
            ? "certain"
            : "likely",
      evidence: [
        `go.mod:${module.line} module ${module.path}`,
        ...chosen.map(({ file, line }) => `${file}:${line} package main`),
      ],
      bins: Object.fromEntries(chosen.map(({ folder }) => [binaryName(module, folder), null])),
      requires: requirementsOf(
        module,
        chosen.some(({ usesC }) => usesC),
      ),
      options: {},
      about: { ...NO_FACTS, name },
      doubts: [
        ...(chosen.length === 0 ? ["no main package was found: perhaps a library"] : []),
        ...(module.vendor === "stale" ? ["the vendor folder does not match go.mod"] : []),
        ...(firstFile(input.files, ["Makefile", ".goreleaser.yml", ".goreleaser.yaml"]) !== undefined &&
        chosen.every(({ versionVariable }) => versionVariable === null)
          ? ["if the program prints a version, see whether it needs the option version-variable"]
          : []),
      ],
    },
  ];
}

/** Go programs of the checkout, by `go install`. */
export const goRecipe: Recipe = {
  id: ID,
  summary: "Compile the main packages of a Go module, with the versions of its go.sum or vendor folder.",
  options: {
    package:
      "folder of the main package, or a list of them; default: the ones whose programs have the launchers' names",
    tags: "build tags: [netgo]",
    "version-variable":
      "variables that are set to the version: [main.version]; default: a variable `version` of the main package",
    ldflags: "more flags for the linker; {version} and {commit} are filled in",
    cgo: "true or false; default: false, unless the main package or a known module needs C",
  },
  reads: ({ files, bins, options }) => [
    ...FILES.filter((file) => files.some(({ path }) => path === file)),
    ...goFilesToRead(files, [...bins, ...listOption(ID, options, "package")]),
  ],
  expand,
  detectReads: (files) => [
    ...FILES.filter((file) => file !== "go.sum" && files.some(({ path }) => path === file)),
    ...goFilesToRead(files, []),
  ],
  detect,
  package: goPackage,
};
