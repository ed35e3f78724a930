import type { Ecosystem } from "./ecosystems.ts";
import type { RECIPE_NAMES } from "./recipe-names.ts";

/** A package of an ecosystem's registry, as `source.package` names it: `npm:@biomejs/biome`, `maven:org.example:tool`. */
export interface PackageReference {
  readonly ecosystem: Ecosystem;
  readonly name: string;
}

/** The recipe that installs the packages of each ecosystem. */
export const PACKAGE_RECIPES: Readonly<Record<Ecosystem, (typeof RECIPE_NAMES)[number]>> = {
  npm: "npm",
  pypi: "python",
  crates: "cargo",
  go: "go",
  maven: "maven",
};

const NAMES: Readonly<Record<Ecosystem, RegExp>> = {
  npm: /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/iu,
  pypi: /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/u,
  crates: /^[A-Za-z][A-Za-z0-9_-]*$/u,
  go: /^[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]+(?:\/[A-Za-z0-9._~-]+)*$/u,
  // Group and artifact; a third word is the classifier of a jar beside the main one: `org.antlr:antlr4:complete`.
  maven: /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*){1,2}$/u,
};

/** Longest name that any of the registries takes. */
const MAX_NAME = 214;

/** Read `npm:ripcat`; undefined when the scheme is unknown or the name cannot be one of that ecosystem. */
export function parsePackageReference(text: string): PackageReference | undefined {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, colon);
  const name = text.slice(colon + 1);
  const [ecosystem, pattern] = Object.entries(NAMES).find(([known]) => known === scheme) ?? [];
  const isFine = pattern?.test(name) === true && name.length <= MAX_NAME && !name.split("/").includes("..");
  // oxlint-disable-next-line no-unsafe-type-assertion -- a key of NAMES
  return isFine ? { ecosystem: ecosystem as Ecosystem, name } : undefined;
}

/** The reference as a manifest writes it. */
export function formatPackageReference({ ecosystem, name }: PackageReference): string {
  return `${ecosystem}:${name}`;
}

const PURL_TYPES: Readonly<Record<Ecosystem, string>> = {
  npm: "npm",
  pypi: "pypi",
  crates: "cargo",
  go: "golang",
  maven: "maven",
};

/** The package URL (https://github.com/package-url/purl-spec) of one version: `pkg:npm/%40biomejs/biome@2.0.0`. */
export function packageUrl({ ecosystem, name }: PackageReference, version: string): string {
  const [group = "", artifact = "", classifier] = ecosystem === "maven" ? name.split(":") : [];
  const segments = (ecosystem === "maven" ? `${group}/${artifact}` : name).split("/").map(encodeURIComponent);
  const path = ecosystem === "pypi" ? segments.join("/").toLowerCase().replaceAll("_", "-") : segments.join("/");
  const qualifiers = classifier === undefined ? "" : `?classifier=${encodeURIComponent(classifier)}`;
  return `pkg:${PURL_TYPES[ecosystem]}/${path}@${encodeURIComponent(version)}${qualifiers}`;
}
