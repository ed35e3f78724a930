import { describe, expect, test } from "vitest";
import { parsePackageReference } from "../../../src/manifest/package-reference.ts";
import { npmPackage } from "../../../src/recipes/npm-package.ts";
import type { PackageInput } from "../../../src/recipes/package-recipe.ts";
import { type LockEntry, npmLock, sha512Of } from "../../helpers/npm-lock.ts";

const RIPCAT = { ecosystem: "npm", name: "ripcat" } as const;

function input(more: Partial<PackageInput> = {}): PackageInput {
  return { options: {}, bins: ["rc"], version: "2.1.0", package: RIPCAT, lock: npmLock(), ...more };
}

describe("a lock of npm", () => {
  test("says what it pins", () => {
    expect(npmPackage.readLock(npmLock(), RIPCAT, "2.1.0")).toEqual({ integrity: sha512Of("ripcat"), packages: 2 });
  });

  const unarc = { version: "1.0.3", integrity: sha512Of("unarc") };
  test.each<[string, Readonly<Record<string, LockEntry | undefined>>, string]>([
    [
      "an address",
      { "node_modules/unarc": { ...unarc, resolved: "https://example.org/unarc.tgz" } },
      "holds an address",
    ],
    ["an address without a scheme", { "node_modules/unarc": { ...unarc, resolved: "unarc.tgz" } }, "holds an address"],
    [
      "a dependency from git",
      { "node_modules/unarc": { ...unarc, version: "git+ssh://git@example.org/a" } },
      "address",
    ],
    ["a package without a hash", { "node_modules/unarc": { version: "1.0.3" } }, "node_modules/unarc has no sha512"],
    ["a weak hash", { "node_modules/unarc": { ...unarc, integrity: "sha1-AAAA" } }, "has no sha512"],
    ["a folder of the machine", { "../unarc": unarc }, "is not a package of the registry"],
    ["a link", { "node_modules/unarc": { ...unarc, link: true } }, "is not a package of the registry"],
    ["a way out", { "node_modules/../../x": unarc }, "is not a package of the registry"],
    ["a part for another platform that was left out", { "node_modules/unarc": undefined }, "unarc, which one of"],
    ["another version", { "node_modules/ripcat": { version: "2.0.0", integrity: sha512Of("a") } }, "pins ripcat 2.0.0"],
    ["nothing of the package", { "node_modules/ripcat": undefined }, "pins ripcat nowhere"],
    ["another package", { "": { dependencies: { ripcat: "2.0.0" } } }, "was made for another package.json"],
  ])("with %s is refused", (_, change, why) => {
    expect(() => npmPackage.readLock(npmLock(change), RIPCAT, "2.1.0")).toThrow(
      expect.objectContaining({ code: "LOCK_INVALID", message: expect.stringContaining(why) }),
    );
  });

  test("whose package.json asks for more is refused", () => {
    const lock = { ...npmLock(), "package.json": '{"dependencies":{"ripcat":"2.1.0","evil":"1.0.0"}}' };
    expect(() => npmPackage.readLock(lock, RIPCAT, "2.1.0")).toThrow("asks for something else");
  });

  test.each(["", "{", "[]", '{"lockfileVersion":1,"packages":{}}'])("that is %j is refused", (text) => {
    const lock = { ...npmLock(), "package-lock.json": text };
    expect(() => npmPackage.readLock(lock, RIPCAT, "2.1.0")).toThrow("is not a lock of version 3");
  });

  test("takes what a package brings in its own file by that one's hash", () => {
    const lock = npmLock({ "node_modules/unarc/node_modules/inner": { version: "1.0.0", inBundle: true } });
    expect(npmPackage.readLock(lock, RIPCAT, "2.1.0").packages).toBe(3);
  });
});

describe("the steps for a package of npm", () => {
  test("install the lock without any script, and keep the packages without npm's own note of them", () => {
    const output = npmPackage.expand(input());
    expect(output.steps).toMatchObject([
      { run: ["npm", "ci", "--omit=dev", "--ignore-scripts"], network: ["npm"] },
      { kind: "copy", from: "node_modules", to: "lib/node_modules", exclude: [".package-lock.json"] },
    ]);
    expect(output.bins).toEqual({ rc: "lib/node_modules/ripcat/bin/rc.js" });
    expect(output.requires).toContainEqual(expect.objectContaining({ tool: "node", version: ">=20", for: "both" }));
  });

  test("run the install scripts that the manifest names, and no others", () => {
    const output = npmPackage.expand(input({ options: { "install-scripts": ["unarc"] } }));
    expect(output.steps[1]).toMatchObject({ run: ["npm", "rebuild", "unarc"] });
    expect(() => npmPackage.expand(input({ options: { "install-scripts": ["ripcat"] } }))).toThrow(
      "ripcat has no install script",
    );
  });

  test("say which command the package does not have", () => {
    expect(npmPackage.expand(input({ bins: ["rc", "cat"] })).notices).toEqual(["ripcat declares no command cat"]);
  });

  test("know a lone command by the package's name without its scope", () => {
    const scoped = { ecosystem: "npm", name: "@team/ripcat" } as const;
    const text = (npmLock()["package-lock.json"] ?? "")
      .replaceAll("node_modules/ripcat", "node_modules/@team/ripcat")
      .replace('{"rc":"bin/rc.js"}', '"rc.js"');
    const output = npmPackage.expand(input({ package: scoped, lock: { "package-lock.json": text } }));
    expect(output.bins).toEqual({ ripcat: "lib/node_modules/@team/ripcat/rc.js" });
  });
});

describe("asking npm", () => {
  test("hands name and version over by the environment, never by interpolation", () => {
    const { step } = npmPackage.ask({ ecosystem: "npm", name: "@team/ripcat" }, "1.0.0");
    expect(step.env).toMatchObject({ IPM_PACKAGE: "@team/ripcat", IPM_WANTED: "1.0.0" });
    expect(step.run).not.toContain("ripcat");
    expect(step.network).toEqual(["npm"]);
    expect(npmPackage.ask(RIPCAT, null).step.env["IPM_WANTED"]).toBe("latest");
  });

  const ANSWER = {
    name: "ripcat",
    version: "2.1.0",
    description: "Search text in archives",
    license: "MIT",
    repository: { type: "git", url: "git+https://github.com/owner/ripcat.git" },
    keywords: ["search"],
    deprecated: "use ripdog",
  };

  test("leaves addresses and everything that decides nothing out of the lock", () => {
    const raw = npmLock({
      "node_modules/unarc": {
        version: "1.0.3",
        integrity: sha512Of("unarc"),
        resolved: "https://example.org/unarc.tgz",
        funding: { url: "https://example.org/give" },
        license: "MIT",
        hasInstallScript: true,
      },
    });
    const answer = npmPackage.read({ ...raw, "answer.json": JSON.stringify(ANSWER) }, RIPCAT);
    expect(answer).toMatchObject({
      version: "2.1.0",
      prerelease: false,
      integrity: sha512Of("ripcat"),
      bins: ["rc"],
      about: { summary: "Search text in archives", license: "MIT", homepage: "https://github.com/owner/ripcat" },
      notices: ["npm:ripcat is deprecated: use ripdog", expect.stringContaining("unarc")],
    });
    expect(answer.lock["package-lock.json"]).not.toMatch(/resolved|funding|:\/\/|MIT/u);
    expect(Object.keys(answer.lock)).toEqual(npmPackage.lockFiles);
  });

  test.each([
    [{}, "no answer that can be read"],
    [{ "answer.json": "{}", ...npmLock() }, "no name and version"],
    [{ "answer.json": '{"name":"ripdog","version":"2.1.0"}', ...npmLock() }, "its name is ripdog"],
  ])("an answer that is none is refused: %j", (answers, why) => {
    expect(() => npmPackage.read(answers, RIPCAT)).toThrow(
      expect.objectContaining({ code: "PACKAGE_UNUSABLE", message: expect.stringContaining(why) }),
    );
  });
});

test.each([
  ["npm:@biomejs/biome", "npm", "@biomejs/biome"],
  ["pypi:csvkit", "pypi", "csvkit"],
  ["go:github.com/owner/tool/v2", "go", "github.com/owner/tool/v2"],
  ["maven:org.example:tool", "maven", "org.example:tool"],
])("%s is a package", (text, ecosystem, name) => {
  expect(parsePackageReference(text)).toEqual({ ecosystem, name });
});

test.each(["npm:", "npm:../x", "npm:a b", "pypi:-x", "go:a/../b.c", "maven:tool", "gem:rake", "ripcat", "npm:--flag"])(
  "%j is no package",
  (text) => {
    expect(parsePackageReference(text)).toBeUndefined();
  },
);
