import { escapeUntrusted } from "../core/untrusted-text.ts";
import { identifyLicense } from "../manifest/identify-license.ts";
import type { PackageReference } from "../manifest/package-reference.ts";
import { NO_FACTS } from "./candidate.ts";
import { programName } from "./go-module.ts";
import { flagOption, textOption, wordsOption } from "./options.ts";
import { invalidLock, unusablePackage } from "./package-failure.ts";
import type { LockFacts, PackageAnswer, PackageInput, PackageQuery, PackageRecipe } from "./package-recipe.ts";
import { BUILD_TIMEOUT_MS, type DraftRun, type RecipeOutput } from "./recipe.ts";

const ID = "go";
const MANIFEST = "go.mod";
const SUMS = "go.sum";
const ANSWER = "package.txt";
const LICENSE = "license.txt";
/** The module that has nothing but the wanted one as its requirement; `.invalid` belongs to nobody (RFC 2606). */
const HOLDER = "ipm.invalid/package";
const MODULE = /^[A-Za-z0-9][A-Za-z0-9._~/-]*$/u;
const VERSION = /^v\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/u;
/** A version that Go makes for a commit without a tag: `v0.0.0-20250101000000-abcdef012345`. */
const PSEUDO = /[-.]\d{14}-[0-9a-f]{12}$/u;

/** Go's own word for a version: `3.11.0` is `v3.11.0`. */
function goVersion(version: string): string {
  return `v${version.replace(/^v/u, "")}`;
}

interface GoLock {
  /** The Go that it is read by, the highest that any module asks for. */
  readonly go: string;
  /** Module to version. */
  readonly requires: ReadonlyMap<string, string>;
}

/** Read a go.mod of requirements alone; undefined for anything else that one can hold (https://go.dev/ref/mod). */
function readRequirements(text: string): GoLock | undefined {
  const requires = new Map<string, string>();
  let go = "";
  let isBlock = false;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/\s*\/\/ indirect$/u, "").trim();
    if (line === "" || line === `module ${HOLDER}`) continue;
    if (!isBlock && /^go \d+\.\d+(?:\.\d+)?$/u.test(line)) go = line.slice(3);
    else if (!isBlock && line === "require (") isBlock = true;
    else if (isBlock && line === ")") isBlock = false;
    else {
      const words = (isBlock ? line : line.replace(/^require /u, "")).split(" ");
      const [module = "", version = ""] = words;
      const isNew = words.length === 2 && !requires.has(module);
      if (!isNew || !MODULE.test(module) || !VERSION.test(version)) return undefined;
      requires.set(module, version);
    }
  }
  return go === "" || isBlock ? undefined : { go, requires };
}

/** The hashes of a go.sum by `MODULE VERSION` and `MODULE VERSION/go.mod`; undefined when a line is none. */
function readSums(text: string): ReadonlyMap<string, string> | undefined {
  const sums = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, what, hash] = /^(\S+ \S+) h1:([A-Za-z0-9+/]{43}=)$/u.exec(line) ?? [];
    if (what === undefined || hash === undefined || sums.has(what)) return undefined;
    sums.set(what, hash);
  }
  return sums;
}

/** The module that holds a package: the longest path of them that the package's path begins with. */
function moduleOf(packagePath: string, requires: GoLock["requires"]): string | undefined {
  return [...requires.keys()]
    .filter((module) => packagePath === module || packagePath.startsWith(`${module}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

/**
 * Check a lock of Go: a go.mod that only requires, and a go.sum with the hash of everything that it leads to. Go itself
 * refuses to build with a module that go.sum does not name.
 */
function readLock(lock: Readonly<Record<string, string>>, reference: PackageReference, version: string): LockFacts {
  const refuse = (why: string): never => {
    throw invalidLock(reference, version, why);
  };
  const manifest = readRequirements(lock[MANIFEST] ?? "");
  const sums = readSums(lock[SUMS] ?? "");
  if (manifest === undefined) return refuse(`${MANIFEST} holds something else than requirements`);
  if (sums === undefined) return refuse(`${SUMS} holds a line that is no hash, or two of one module`);
  const module = moduleOf(reference.name, manifest.requires);
  if (module === undefined) return refuse(`${MANIFEST} requires no module of ${reference.name}`);
  const pinned = manifest.requires.get(module) ?? "";
  if (pinned !== goVersion(version)) refuse(`it pins ${module} ${escapeUntrusted(pinned)}`);
  for (const [required, at] of manifest.requires) {
    if (!sums.has(`${required} ${at}/go.mod`)) refuse(`${SUMS} has no hash of ${escapeUntrusted(`${required} ${at}`)}`);
  }
  const hash = sums.get(`${module} ${pinned}`);
  if (hash === undefined) return refuse(`${SUMS} has no hash of ${module} ${pinned}`);
  // An `h1:` is a sha256 in base64, of the list of all files with their hashes (golang.org/x/mod/sumdb/dirhash).
  return { integrity: `sha256-${hash}`, packages: [...sums.keys()].filter((what) => !what.endsWith("/go.mod")).length };
}

function linkerFlags(input: PackageInput): string {
  const variables = wordsOption(ID, input.options, "version-variable");
  const own = textOption(ID, input.options, "ldflags");
  return ["-s -w", ...variables.map((name) => `-X ${name}=${input.version}`), ...(own === null ? [] : [own])].join(" ");
}

const ENVIRONMENT = {
  // Without it the module cache could not be removed afterwards.
  GOFLAGS: "-modcacherw",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
} as const;

function goStep(
  title: string,
  run: DraftRun["run"],
  env: Readonly<Record<string, string>>,
  why: string | null,
): DraftRun {
  const common = { ...ENVIRONMENT, ...env };
  return { kind: "run", title, why, run, dir: null, env: common, timeoutMs: BUILD_TIMEOUT_MS, network: ["go"] };
}

function expand(input: PackageInput): RecipeOutput {
  const { name } = input.package;
  const { go } = readRequirements(input.lock[MANIFEST] ?? "") ?? { go: "" };
  const cgo = flagOption(ID, input.options, "cgo") === true;
  const tags = wordsOption(ID, input.options, "tags");
  const program = programName(name);
  const [first, second] = input.bins;
  // One launcher may have another name than the program; several are the manifest's to name.
  const bins = first !== undefined && second === undefined ? { [first]: `bin/${program}` } : {};
  const step = goStep(
    `go install ${program}`,
    [
      "go",
      "install",
      "-mod=readonly",
      "-trimpath",
      "-buildvcs=false",
      ...(tags.length > 0 ? [`-tags=${tags.join(",")}`] : []),
      `-ldflags=${linkerFlags(input)}`,
      name,
    ],
    { GOBIN: "{prefix}/bin", CGO_ENABLED: cgo ? "1" : "0" },
    `what ${SUMS} pins, each module by its hash`,
  );
  return {
    steps: [step],
    requires: [
      { tool: "go", version: `>=${go}`, for: "build", optional: false, why: "compiles the tool" },
      ...(cgo
        ? [{ tool: "cc", version: null, for: "build", optional: false, why: "compiles the parts in C" } as const]
        : []),
    ],
    bins,
    notices: [],
  };
}

/**
 * Every system that ipm knows is asked for, with C and without: packages differ, and a module that only one of them needs
 * must be in go.sum too. Names come from the environment: nothing of a registry or a manifest is ever part of a script.
 */
const ASK = `
go get "$IPM_PACKAGE@$IPM_WANTED"
for os in linux darwin; do
  for arch in amd64 arm64; do
    for cgo in 0 1; do
      GOOS=$os GOARCH=$arch CGO_ENABLED=$cgo go list -mod=mod -deps "$IPM_PACKAGE" > "$TMPDIR/packages"
    done
  done
done
go mod edit -toolchain=none
go list -mod=mod -f '{{.Name}}
{{.Module.Path}}
{{.Module.Version}}
{{.Doc}}' "$IPM_PACKAGE" > ${ANSWER}
module=$(sed -n 2p ${ANSWER})
go list -mod=mod -m -u -f '{{range .Retracted}}retracted {{printf "%q" .}}
{{end}}{{if .Deprecated}}deprecated {{printf "%q" .Deprecated}}
{{end}}{{if .Origin}}origin {{.Origin.URL}}
{{end}}' "$module" >> ${ANSWER}
dir=$(go list -mod=mod -m -f '{{.Dir}}' "$module")
for file in LICENSE LICENSE.txt LICENSE.md LICENCE COPYING License; do
  if [ -f "$dir/$file" ]; then cat "$dir/$file" > ${LICENSE}; break; fi
done
`.trim();

function ask(reference: PackageReference, version: string | null): PackageQuery {
  const env = { IPM_PACKAGE: reference.name, IPM_WANTED: version === null ? "latest" : goVersion(version) };
  return {
    step: goStep(`ask Go's module proxy for ${reference.name}`, ASK, env, null),
    // 1.21 is the first Go that names every module that a build needs, and takes a requirement on itself seriously.
    files: { [MANIFEST]: `module ${HOLDER}\n\ngo 1.21\n` },
    requires: [{ tool: "go", version: ">=1.21", for: "build", optional: false, why: "asks the module proxy" }],
    answers: [MANIFEST, SUMS, ANSWER, LICENSE],
  };
}

/** The page of a module: where its origin says, or its own path on a forge that is known by it. */
function homepageOf(module: string, origin: string | undefined): string | null {
  const forge = /^(?:github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)\/[\w.-]+\/[\w.-]+/u.exec(module)?.[0];
  if (forge !== undefined) return `https://${forge}`;
  return origin !== undefined && /^https:\/\/[\w.-]+(?:\/[\w.~-]+)+$/u.test(origin) ? origin : null;
}

function read(answers: Readonly<Record<string, string>>, reference: PackageReference): PackageAnswer {
  const [kind = "", module = "", version = "", doc = "", ...more] = (answers[ANSWER] ?? "").split("\n");
  if (!MODULE.test(module) || !VERSION.test(version))
    throw unusablePackage(reference, "Go gave no answer that can be read");
  if (kind !== "main") throw unusablePackage(reference, `it is the library ${escapeUntrusted(kind)}, no program`);
  const said = (word: string): string | undefined =>
    more.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
  const retracted = said("retracted");
  if (retracted !== undefined)
    throw unusablePackage(reference, `its authors have withdrawn ${version}: ${escapeUntrusted(retracted)}`);
  const plain = version.slice(1);
  const lock = { [MANIFEST]: answers[MANIFEST] ?? "", [SUMS]: answers[SUMS] ?? "" };
  const { integrity } = readLock(lock, reference, plain);
  const program = programName(reference.name);
  const license = answers[LICENSE] === undefined ? null : (identifyLicense(answers[LICENSE]) ?? null);
  const deprecated = said("deprecated");
  return {
    version: plain,
    prerelease: plain.includes("-") && !PSEUDO.test(plain),
    integrity,
    lock,
    about: {
      ...NO_FACTS,
      name: program,
      version: plain,
      summary: doc.trim() === "" ? null : doc.trim().slice(0, 200),
      license,
      homepage: homepageOf(module, said("origin")),
    },
    bins: [program],
    notices: deprecated === undefined ? [] : [`${module} is deprecated: ${escapeUntrusted(deprecated)}`],
  };
}

/** A program of a Go module: `go install` in a module that requires it, with a go.sum of everything that it leads to. */
export const goPackage: PackageRecipe = {
  options: {
    tags: "build tags: [netgo]",
    "version-variable": "variables that are set to the version: [main.version]",
    ldflags: "more flags for the linker; {version} is filled in",
    cgo: "true: with C; default: false",
  },
  lockFiles: [MANIFEST, SUMS],
  readLock,
  expand,
  ask,
  read,
};
