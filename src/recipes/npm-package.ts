import { IpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { formatPackageReference, parsePackageReference, type PackageReference } from "../manifest/package-reference.ts";
import { NO_FACTS, type PackageFacts } from "./candidate.ts";
import { insidePath } from "./listing.ts";
import { npmStep } from "./node-manager.ts";
import { listOption } from "./options.ts";
import { invalidLock, unusablePackage } from "./package-failure.ts";
import type { LockFacts, PackageAnswer, PackageInput, PackageQuery, PackageRecipe } from "./package-recipe.ts";
import type { DraftStep, RecipeOutput } from "./recipe.ts";

const MANIFEST = "package.json";
const LOCK = "package-lock.json";
const ANSWER = "answer.json";
const MODULES = "node_modules";
/** The name of the package that has nothing but the wanted one as its dependency. */
const HOLDER = "ipm-package";

type Json = Readonly<Record<string, unknown>>;

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function holderOf(name: string, version: string): Json {
  return { name: HOLDER, version: "0.0.0", private: true, dependencies: { [name]: version } };
}

/** The packages of a lock by their place, the root's left out; undefined when it is none of version 3. */
function packagesOf(text: string | undefined): [place: string, entry: Json][] | undefined {
  const lock = parseJson(text);
  if (!isRecord(lock) || lock["lockfileVersion"] !== 3 || !isRecord(lock["packages"])) return undefined;
  return Object.entries(lock["packages"]).flatMap(([place, entry]): [string, Json][] =>
    place === "" || !isRecord(entry) ? [] : [[place, entry]],
  );
}

function mainEntry(text: string | undefined, name: string): Json {
  return packagesOf(text)?.find(([place]) => place === `${MODULES}/${name}`)?.[1] ?? {};
}

/**
 * A package that another one of the lock names and that is nowhere where Node would look for it. npm leaves out what is
 * optional and could not be fetched: on another platform the tool would then lack its program.
 */
function missingDependency(packages: readonly [string, Json][]): string | undefined {
  const places = new Set(packages.map(([place]) => place));
  for (const [place, entry] of packages) {
    for (const key of ["dependencies", "optionalDependencies"]) {
      const names = isRecord(entry[key]) ? Object.keys(entry[key]) : [];
      // What a package brings in its own file may bring its own dependencies unseen.
      const lost = entry["inBundle"] === true ? undefined : names.find((name) => !isFound(places, place, name));
      if (lost !== undefined) return lost;
    }
  }
  return undefined;
}

function isFound(places: ReadonlySet<string>, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf(`/${MODULES}/`))) {
    if (places.has(`${folder}/${MODULES}/${name}`)) return true;
    if (!folder.includes(`/${MODULES}/`)) return places.has(`${MODULES}/${name}`);
  }
}

/**
 * Check a lock of npm (https://docs.npmjs.com/cli/configuring-npm/package-lock-json, version 3): what `npm ci` installs is
 * then decided by hashes alone, wherever the registry is.
 */
function readLock(lock: Readonly<Record<string, string>>, reference: PackageReference, version: string): LockFacts {
  const { name } = reference;
  const refuse = (why: string): never => {
    throw invalidLock(reference, version, why);
  };
  const text = lock[LOCK];
  const packages = packagesOf(text);
  const [holder, root] = [parseJson(lock[MANIFEST]), parseJson(text)];
  if (packages === undefined || text === undefined) return refuse(`${LOCK} is not a lock of version 3`);
  // Addresses would lead around the registry that a machine is configured for.
  if (text.includes("://") || /"resolved"\s*:/u.test(text)) refuse(`${LOCK} holds an address`);
  const wanted = JSON.stringify(holderOf(name, version));
  if (JSON.stringify(holder) !== wanted) refuse(`${MANIFEST} asks for something else than ${name} ${version}`);
  const asked = isRecord(root) && isRecord(root["packages"]) ? root["packages"][""] : undefined;
  const dependencies = isRecord(asked) ? JSON.stringify(asked["dependencies"]) : "";
  if (dependencies !== JSON.stringify({ [name]: version })) refuse(`${LOCK} was made for another ${MANIFEST}`);
  for (const [place, entry] of packages) {
    const shown = escapeUntrusted(place);
    if (!place.startsWith(`${MODULES}/`) || entry["link"] !== undefined || insidePath(place) !== place)
      refuse(`${shown} is not a package of the registry`);
    // A bundled package is a part of the one that brings it, and of its hash.
    const isHashed = typeof entry["integrity"] === "string" && /^sha512-[A-Za-z0-9+/]{86}==$/u.test(entry["integrity"]);
    if (!isHashed && entry["inBundle"] !== true) refuse(`${shown} has no sha512`);
    if (typeof entry["version"] !== "string") refuse(`${shown} has no version`);
  }
  const lost = missingDependency(packages);
  if (lost !== undefined) refuse(`${escapeUntrusted(lost)}, which one of its packages needs, is not in it`);
  const main = mainEntry(text, name);
  if (main["version"] !== version)
    refuse(`it pins ${name} ${escapeUntrusted(typeof main["version"] === "string" ? main["version"] : "nowhere")}`);
  return { integrity: String(main["integrity"]), packages: packages.length };
}

/** Launcher to its file in the package, by the lock. */
function binsOf(main: Json, name: string): Readonly<Record<string, string>> {
  const bin = main["bin"];
  const declared = typeof bin === "string" ? { [name.slice(name.indexOf("/") + 1)]: bin } : isRecord(bin) ? bin : {};
  return Object.fromEntries(
    Object.entries(declared).flatMap(([command, file]) => {
      const inside = typeof file === "string" ? insidePath(file) : undefined;
      return inside === undefined || inside === "." ? [] : [[command, inside]];
    }),
  );
}

function nodeRangeOf(main: Json): string | null {
  const range = isRecord(main["engines"]) ? main["engines"]["node"] : undefined;
  return typeof range === "string" && range.length <= 100 ? range : null;
}

function withScripts(packages: readonly [string, Json][]): string[] {
  const names = packages
    .filter(([, entry]) => entry["hasInstallScript"] === true)
    .map(([place]) => place.slice(place.lastIndexOf(`${MODULES}/`) + MODULES.length + 1));
  return [...new Set(names)].toSorted();
}

/** Packages whose install scripts the manifest lets run; others never do, as they would on the machine of the user. */
function scriptsOf(input: PackageInput, packages: readonly [string, Json][]): readonly string[] {
  const asked = listOption("npm", input.options, "install-scripts");
  const known = withScripts(packages);
  const lost = asked.find((name) => !known.includes(name));
  if (lost === undefined) return asked;
  const hint = known.length === 0 ? "no package of the lock has one" : `the lock has them for ${known.join(", ")}`;
  throw new IpmError("MANIFEST_INVALID", `recipe npm: ${escapeUntrusted(lost)} has no install script to run`, { hint });
}

function expand(input: PackageInput): RecipeOutput {
  const { name } = input.package;
  const packages = packagesOf(input.lock[LOCK]) ?? [];
  const main = mainEntry(input.lock[LOCK], name);
  const bins = binsOf(main, name);
  const scripts = scriptsOf(input, packages);
  const steps: DraftStep[] = [
    npmStep("npm ci", ["npm", "ci", "--omit=dev", "--ignore-scripts"], true, `what ${LOCK} pins, each by its sha512`),
  ];
  if (scripts.length > 0) {
    const why = "install scripts that the manifest allows";
    steps.push(npmStep(`npm rebuild ${scripts.join(" ")}`, ["npm", "rebuild", ...scripts], true, why));
  }
  steps.push({
    kind: "copy",
    title: `copy the packages to lib/${MODULES}`,
    why: null,
    from: MODULES,
    to: `lib/${MODULES}`,
    // npm's own note of what it installed, with the addresses of this machine's registry.
    exclude: [".package-lock.json"],
  });
  const missing = input.bins.filter((bin) => bins[bin] === undefined);
  return {
    steps,
    requires: [
      { tool: "node", version: nodeRangeOf(main), for: "both", optional: false, why: "runs the tool" },
      { tool: "npm", version: null, for: "build", optional: false, why: "installs its packages" },
    ],
    bins: Object.fromEntries(Object.entries(bins).map(([bin, file]) => [bin, `lib/${MODULES}/${name}/${file}`])),
    notices: missing.length === 0 ? [] : [`${name} declares no command ${missing.join(", ")}`],
  };
}

/** Names and versions come from the environment: nothing of a registry or a manifest is ever part of a script. */
const ASK = `
npm view "$IPM_PACKAGE@$IPM_WANTED" --json > ${ANSWER}
node -e '
const answer = require("./${ANSWER}");
const { name, version } = Array.isArray(answer) ? answer.at(-1) : answer;
const holder = { name: "${HOLDER}", version: "0.0.0", private: true, dependencies: { [name]: version } };
require("fs").writeFileSync("${MANIFEST}", JSON.stringify(holder));
'
npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
`.trim();

function ask(reference: PackageReference, version: string | null): PackageQuery {
  const step = npmStep(`ask npm for ${reference.name}`, ["npm"], true, null);
  return {
    step: { ...step, run: ASK, env: { ...step.env, IPM_PACKAGE: reference.name, IPM_WANTED: version ?? "latest" } },
    files: {},
    requires: [
      { tool: "node", version: null, for: "build", optional: false, why: "reads the answer" },
      { tool: "npm", version: null, for: "build", optional: false, why: "asks the registry" },
    ],
    answers: [ANSWER, MANIFEST, LOCK],
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

function aboutOf(main: Json): PackageFacts {
  const { repository, keywords, license } = main;
  const url = textOf(isRecord(repository) ? repository["url"] : repository);
  // `owner/repo` alone is short for the usual forge, as npm's documentation has it.
  const full = url !== null && /^[\w.-]+\/[\w.-]+$/u.test(url) ? `github.com/${url}` : url;
  const page = full === null ? null : /([\w.-]+\.[a-z]+)[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?(?:[#/].*)?$/u.exec(full);
  return {
    ...NO_FACTS,
    name: textOf(main["name"]),
    version: textOf(main["version"]),
    summary: textOf(main["description"]),
    license: textOf(isRecord(license) ? license["type"] : license),
    homepage: page === null ? textOf(main["homepage"]) : `https://${page[1]}/${page[2]}`,
    keywords: Array.isArray(keywords) ? keywords.filter((word) => typeof word === "string") : [],
  };
}

/** What of an entry decides what is installed, and what a reader of the lock may want to know of it. */
const KEPT = [
  "name",
  "version",
  "integrity",
  "inBundle",
  "optional",
  "devOptional",
  "peer",
  "hasInstallScript",
  "hasShrinkwrap",
  "bin",
  "cpu",
  "os",
  "libc",
  "engines",
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bundleDependencies",
];

function read(answers: Readonly<Record<string, string>>, reference: PackageReference): PackageAnswer {
  const parsed = parseJson(answers[ANSWER]);
  const main: unknown = Array.isArray(parsed) ? parsed.at(-1) : parsed;
  const packages = packagesOf(answers[LOCK]);
  if (!isRecord(main) || packages === undefined)
    throw unusablePackage(reference, "npm gave no answer that can be read");
  const version = textOf(main["version"]);
  const name = textOf(main["name"]);
  if (version === null || name === null || parsePackageReference(`npm:${name}`) === undefined)
    throw unusablePackage(reference, "npm's answer has no name and version");
  if (name !== reference.name) throw unusablePackage(reference, `its name is ${escapeUntrusted(name)}`);
  const kept = packages.map(([place, entry]) => [
    place,
    Object.fromEntries(KEPT.flatMap((key) => (entry[key] === undefined ? [] : [[key, entry[key]]]))),
  ]);
  const holder = holderOf(name, version);
  const { dependencies, ...rest } = holder;
  const lock = {
    [MANIFEST]: formatJson(holder),
    [LOCK]: formatJson({
      name: HOLDER,
      version: "0.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: { "": { name: rest["name"], version: rest["version"], dependencies }, ...Object.fromEntries(kept) },
    }),
  };
  const { integrity } = readLock(lock, reference, version);
  const scripts = withScripts(packages);
  const deprecated = textOf(main["deprecated"]);
  return {
    version,
    prerelease: version.includes("-"),
    integrity,
    lock,
    about: aboutOf(main),
    bins: Object.keys(binsOf(mainEntry(lock[LOCK], name), name)),
    notices: [
      ...(deprecated === null
        ? []
        : [`${formatPackageReference(reference)} is deprecated: ${escapeUntrusted(deprecated)}`]),
      ...(scripts.length === 0
        ? []
        : [`install scripts do not run unless the manifest allows them: ${scripts.map(escapeUntrusted).join(", ")}`]),
    ],
  };
}

/** A package of the npm registry: `npm ci` by a lock with a sha512 for each package, install scripts only by name. */
export const npmPackage: PackageRecipe = {
  options: {
    "install-scripts": "packages whose install scripts may run: [esbuild]; default: none of them does",
  },
  lockFiles: [MANIFEST, LOCK],
  readLock,
  expand,
  ask,
  read,
};
