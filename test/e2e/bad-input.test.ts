import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { runIpm } from "../helpers/built-ipm.ts";
import { writeDemoRegistry } from "../helpers/demo-registry.ts";
import { lacks } from "../helpers/language-toolchains.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const SHA512 = `sha512-${"A".repeat(86)}==`;

function writeEntry(registry: string, name: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(registry, "packages", name, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

/** An entry that is one jar of Maven Central: what ipm fetches itself, without the minute in which npm tries again. */
function writeJar(registry: string, name: string): void {
  const lock = "locks/1.0.0.maven";
  const digest = Buffer.alloc(32, 7);
  writeEntry(registry, name, {
    "manifest.yaml": `schema: ipm/v1
name: ${name}
summary: A package for tests
license: MIT
source: { package: maven:org.example:${name} }
versions:
  - { version: 1.0.0, integrity: sha256-${digest.toString("base64")}, lock: ${lock} }
steps: [uses: maven]
bin: [${name}]
tests: [{ run: ${name} }]
`,
    [`${lock}/jars.lock`]: `main org.example.Main\njava 8\n${digest.toString("hex")} org.example:${name}:1.0.0\n`,
  });
}

/** An entry that is npm's package `is-number`, by a lock with one package. */
function writePackage(registry: string, name: string, version: string): void {
  const lock = `locks/7.0.0.npm`;
  const dependencies = { "is-number": "7.0.0" };
  writeEntry(registry, name, {
    "manifest.yaml": `schema: ipm/v1
name: ${name}
summary: A package for tests
license: MIT
source: { package: npm:is-number }
versions:
  - { version: 7.0.0, integrity: ${SHA512}, lock: ${lock}${version} }
steps: [uses: npm]
bin: { ${name}: node_modules/is-number/index.js }
tests: [{ run: ${name} }]
`,
    [`${lock}/package.json`]: `${JSON.stringify({ name: "ipm-package", version: "0.0.0", private: true, dependencies })}\n`,
    [`${lock}/package-lock.json`]: `${JSON.stringify({
      name: "ipm-package",
      version: "0.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: {
        "": { name: "ipm-package", version: "0.0.0", dependencies },
        "node_modules/is-number": { version: "7.0.0", integrity: SHA512, bin: "index.js" },
      },
    })}\n`,
  });
}

interface Bad {
  readonly what: string;
  readonly target: string;
  readonly exit: number;
  readonly code: string;
  readonly message: RegExp;
  /** The next command, or what to do. */
  readonly hint: RegExp;
}

const BAD: readonly Bad[] = [
  {
    what: "a requirement nobody can meet",
    target: "needy",
    exit: 4,
    code: "REQUIREMENT_MISSING",
    message: /needs no-such-tool-anywhere >=3 \(not found\)/u,
    hint: /install no-such-tool-anywhere >=3, then run the command again/u,
  },
  {
    what: "a recipe option that does not exist",
    target: "optional",
    exit: 3,
    code: "MANIFEST_INVALID",
    message: /colour/u,
    hint: /docs\/recipes\/copy\.md|option/u,
  },
  {
    what: "two methods with one id",
    target: "twice",
    exit: 3,
    code: "MANIFEST_INVALID",
    message: /DUPLICATE_METHOD|one/u,
    hint: /ipm update|mend/u,
  },
  {
    what: "a package version that was withdrawn",
    target: "gone@7.0.0",
    exit: 5,
    code: "VERSION_WITHDRAWN",
    message: /CVE-2026-1/u,
    hint: /ipm show gone/u,
  },
];

async function homeWithRegistry(): Promise<string> {
  const home = temporaryFolder();
  const registry = writeDemoRegistry(path.join(home, "registry"), [
    { name: "needy", versions: ["1.0.0"], more: 'requires: [{ tool: no-such-tool-anywhere, version: ">=3" }]' },
    { name: "optional", versions: ["1.0.0"], methods: "steps: [{ uses: copy, with: { colour: red } }]" },
    {
      name: "twice",
      versions: ["1.0.0"],
      methods: "methods: [{ id: one, steps: [uses: copy] }, { id: one, steps: [uses: copy] }]",
    },
  ]);
  writePackage(registry, "gone", ', withdrawn: "CVE-2026-1: nobody should use it"');
  writeJar(registry, "faraway");
  expect(await runIpm(["registry", "add", registry], { home })).toMatchObject({ exitCode: 0 });
  return home;
}

test("what is wrong ends with its own code, and says what to do next", async () => {
  const home = await homeWithRegistry();
  for (const { what, target, exit, code, message, hint } of BAD) {
    const ran = await runIpm(["install", target, "--json", "--yes", "--allow-unverified"], { home });
    expect({ what, exitCode: ran.exitCode, answer: JSON.parse(ran.stdout) as unknown }).toMatchObject({
      what,
      exitCode: exit,
      answer: {
        ok: false,
        error: { code, message: expect.stringMatching(message) as string, hint: expect.stringMatching(hint) as string },
      },
    });
  }
});

test.skipIf(lacks("java"))("an ecosystem's registry that cannot be reached (needs java)", async () => {
  const home = await homeWithRegistry();
  // A port of this machine at which nobody listens.
  const mirror = "<mirror><id>near</id><mirrorOf>*</mirrorOf><url>https://127.0.0.1:1/</url></mirror>";
  mkdirSync(path.join(home, ".m2"));
  writeFileSync(path.join(home, ".m2", "settings.xml"), `<settings><mirrors>${mirror}</mirrors></settings>\n`);
  const ran = await runIpm(["install", "faraway", "--json", "--yes", "--allow-unverified"], { home });
  expect(JSON.parse(ran.stdout)).toMatchObject({
    ok: false,
    error: {
      code: "PACKAGE_UNREACHABLE",
      hint: expect.stringMatching(/check the network, the proxy and the mirror/u) as string,
    },
  });
  expect(ran.exitCode).toBe(1);
});
