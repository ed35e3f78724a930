import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { formatBytes } from "../../src/cli/render/format.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import { methodsOf } from "../../src/manifest/methods-of.ts";
import type { ManifestSource } from "../../src/manifest/schema.ts";
import { type Attestation, parseAttestationFileName, parseAttestations } from "../../src/trust/attestation.ts";
import { readPage } from "../helpers/reference.ts";

const PACKAGES = path.resolve("registry/packages");
const PAGE = "docs/registry.md";

interface Row {
  readonly entry: ManifestSource;
  readonly version: string;
  readonly method: string;
  /** One a platform, sorted. */
  readonly attestations: readonly Attestation[];
}

function readEntry(name: string): ManifestSource {
  const file = path.join(PACKAGES, name, "manifest.yaml");
  const parsed = parseManifest(readFileSync(file), file);
  if (!parsed.ok) throw new Error(`${file} cannot be read`);
  return parsed.manifest;
}

function readAttestations(name: string): Attestation[] {
  const folder = path.join(PACKAGES, name, "attestations");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .flatMap((file) => {
      const place = parseAttestationFileName(file);
      const parsed = parseAttestations(readFileSync(path.join(folder, file), "utf8"), {
        name,
        version: place?.version ?? "",
        platform: place?.platform ?? "",
      });
      if (!parsed.ok) throw new Error(`${name}/${file}: ${parsed.why}`);
      return parsed.attestations;
    });
}

function rowsOf(name: string): Row[] {
  const entry = readEntry(name);
  const attestations = readAttestations(name);
  return entry.versions
    .filter(({ withdrawn }) => withdrawn === undefined)
    .flatMap(({ version }) =>
      methodsOf(entry).map(({ id }) => ({
        entry,
        version,
        method: id,
        attestations: attestations.filter((one) => one.version === version && one.method === id),
      })),
    );
}

/** Text in a cell: as it is, on one line. */
function cell(text: string): string {
  return text
    .replaceAll(/\s+/gu, " ")
    .replaceAll("|", String.raw`\|`)
    .replaceAll("<", "&lt;");
}

function nameOf(entry: ManifestSource): string {
  const demo = `registry/demos/${entry.name}`;
  const home = entry.homepage ?? entry.source.git ?? (existsSync(demo) ? `../${demo}` : undefined);
  return home === undefined ? entry.name : `[${entry.name}](${home})`;
}

/** Of several platforms the first that there is: what differs between them is in the files. */
function factsOf([first]: readonly Attestation[]): readonly string[] {
  if (first === undefined) return ["", "", "", ""];
  const { declared, reached } = first.network;
  return [
    String(first.seconds),
    formatBytes(first.bytes),
    declared.length === 0 ? "none" : reached.length === 0 ? "not used" : reached.join(", "),
    first.reproducible === null ? "not tried" : first.reproducible ? "yes" : "no",
  ];
}

function lineOf({ entry, version, method, attestations }: Row): string {
  const verified = attestations.map(({ platform, time }) => `${platform} ${time.slice(0, 10)}`).join(", ");
  const cells = [nameOf(entry), version, cell(entry.summary), method, verified || "not yet", ...factsOf(attestations)];
  return `| ${cells.join(" | ")} |`;
}

function registryPage(): string {
  const names = readdirSync(PACKAGES).toSorted();
  const rows = names.flatMap(rowsOf);
  const held = new Set(rows.filter(({ attestations }) => attestations.length > 0).map(({ entry }) => entry.name));
  return [
    "# The registry",
    "",
    `${names.length} tools, ${held.size} of them verified. Generated from the manifests and attestations in [registry/packages](../registry/packages)`,
    "by `npm run docs:registry`; a test compares the two. `ipm install NAME` installs one, `ipm show NAME` tells more of it.",
    "",
    "*verified*: `ipm verify` ran the method there in a clean room on that day: built and tested it, built it again, upgraded,",
    "rolled back, uninstalled, and saw nothing left behind ([what it checks](verification.md)). *seconds* is that whole run, *size*",
    "the installed tool, *network* what its steps reached of what they declare, *reproducible* whether two builds in different",
    "surroundings gave the same files. The same table for a run of your own: `ipm verify --all ./registry`.",
    "",
    "| tool | version | what it does | method | verified | seconds | size | network | reproducible |",
    "|---|---|---|---|---|--:|--:|---|---|",
    ...rows.map(lineOf),
    "",
  ].join("\n");
}

test("docs/registry.md says what the registry holds; else: npm run docs:registry", () => {
  const generated = registryPage();
  expect(generated).toBe(readPage(PAGE, generated));
});
