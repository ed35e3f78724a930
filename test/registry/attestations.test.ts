import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isIpmError } from "../../src/core/errors.ts";
import { type Platform, platformId } from "../../src/core/host.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import { methodsOf } from "../../src/manifest/methods-of.ts";
import { methodChoices, sourceOfMethod } from "../../src/manifest/resolve-manifest.ts";
import type { ManifestSource } from "../../src/manifest/schema.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { type Attestation, attestationFile, parseAttestations } from "../../src/trust/attestation.ts";
import type { Context } from "../../src/usecases/context.ts";
import { planTargets } from "../../src/usecases/plan-targets.ts";
import { OPTIONS, createTestIpm } from "../helpers/test-ipm.ts";

/** Where the project verifies its own registry. */
const PLATFORM: Platform = { os: "linux", arch: "x64", libc: "glibc" };
const REGISTRY = path.resolve("registry");

interface Attested {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly entry: ManifestSource;
}

function manifestOf(name: string): ManifestSource {
  const file = `packages/${name}/manifest.yaml`;
  const parsed = parseManifest(readFileSync(path.join(REGISTRY, file)), file);
  if (!parsed.ok) throw new Error(`${file} cannot be read`);
  return parsed.manifest;
}

function attestationsOf({ name, version }: Pick<Attested, "name" | "version">): readonly Attestation[] {
  const platform = platformId(PLATFORM);
  const file = path.join(REGISTRY, "packages", name, "attestations", attestationFile(version, platform));
  if (!existsSync(file)) return [];
  const parsed = parseAttestations(readFileSync(file, "utf8"), { name, version, platform });
  if (!parsed.ok) throw new Error(`${file}: ${parsed.why}`);
  return parsed.attestations;
}

/** Everything that has to be attested: each method that fits, of each version that can be installed. */
const METHODS: readonly Attested[] = readdirSync(path.join(REGISTRY, "packages")).flatMap((name) => {
  const entry = manifestOf(name);
  const versions = entry.versions.filter(({ withdrawn }) => withdrawn === undefined);
  return versions.flatMap(({ version }) =>
    methodChoices(entry, version, PLATFORM)
      .filter(({ applies }) => applies)
      .map(({ id }) => ({ name, version, method: id, entry })),
  );
});

let folder: string;
let context: Context;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ipm-test-attestations-")));
  // Toolchains behind shims (rustup, pyenv) are found by the HOME of whoever runs this.
  const ipm = await createTestIpm(folder, REGISTRY, { env: { HOME: process.env["HOME"] ?? folder } });
  const facts = { ...ipm.context.host.facts, platform: PLATFORM };
  context = { ...ipm.context, host: { ...ipm.context.host, facts } };
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The plan as it is now, or undefined where this machine lacks what the method needs. */
async function planOf({ name, version, method }: Attested): Promise<Plan | undefined> {
  try {
    const { plans } = await planTargets(context, [`${name}@${version}`], { ...OPTIONS, method });
    return plans[0];
  } catch (error) {
    if (isIpmError(error, "REQUIREMENT_MISSING")) return undefined;
    throw error;
  }
}

describe("every method of the registry is verified on linux-x64-glibc; else: ipm verify --all registry --write", () => {
  test.each(METHODS)("$name $version by $method: has a statement about its own source", ({ entry, ...method }) => {
    const attestation = attestationsOf(method).find((each) => each.method === method.method);
    const pin = entry.versions.find(({ version }) => version === method.version);
    expect(attestation).toBeDefined();
    expect({
      commit: attestation?.commit ?? undefined,
      tree: attestation?.tree ?? undefined,
      integrity: attestation?.package?.integrity,
    }).toEqual(
      sourceOfMethod(entry, methodsOf(entry).find(({ id }) => id === method.method)?.method ?? { steps: [] }) ===
        "package"
        ? { commit: undefined, tree: undefined, integrity: pin?.integrity }
        : { commit: pin?.commit, tree: pin?.tree, integrity: undefined },
    );
    expect(attestation?.isolation).toBe("bubblewrap");
  });

  test.for(METHODS)("$name $version by $method: is attested as the plan that it is now", async (method, { skip }) => {
    const plan = await planOf(method);
    skip(plan === undefined, `this machine lacks what ${method.method} needs`);
    const attestation = attestationsOf(method).find((each) => each.method === method.method);
    expect(attestation?.digest).toBe(plan?.digest);
    expect(plan?.trust.level).toBe("verified");
  });

  test("nothing else is attested: no file, and no statement, is about what is not there", () => {
    const known = new Set(METHODS.map(({ name, version, method }) => `${name} ${version} ${method}`));
    const stray = readdirSync(path.join(REGISTRY, "packages")).flatMap((name) => {
      const place = path.join(REGISTRY, "packages", name, "attestations");
      if (!existsSync(place)) return [];
      return readdirSync(place).flatMap((file) => {
        const version = file.replace(`.${platformId(PLATFORM)}.json`, "");
        const methods = attestationsOf({ name, version }).map(({ method }) => `${name} ${version} ${method}`);
        return methods.length === 0 ? [`${name}/${file}`] : methods.filter((method) => !known.has(method));
      });
    });
    expect(stray).toEqual([]);
  });

  test("they name nothing of the machine that made them", () => {
    const texts = readdirSync(path.join(REGISTRY, "packages")).flatMap((name) => {
      const place = path.join(REGISTRY, "packages", name, "attestations");
      return existsSync(place) ? readdirSync(place).map((file) => readFileSync(path.join(place, file), "utf8")) : [];
    });
    const versions = new Set<string>(METHODS.map(({ version }) => version));
    // Absolute paths, addresses and ports, user names: what a statement says of a host is what the manifest says.
    const words = texts.flatMap(
      (text) =>
        text.match(
          /"\/[^"]*"|(?:https?|file):\/\/(?!in-toto\.io|slsa\.dev)[^"]*|\blocalhost\b|\b\d{1,3}(?:\.\d{1,3}){3}\b/gu,
        ) ?? [],
    );
    // A version of four numbers looks like an address.
    expect(words.filter((word) => !versions.has(word))).toEqual([]);
  });
});
