import { describe, expect, test } from "vitest";
import { goPackage } from "../../../src/recipes/go-package.ts";
import type { PackageReference } from "../../../src/manifest/package-reference.ts";

const REFERENCE: PackageReference = { ecosystem: "go", name: "example.org/tools/v3/cmd/rc" };
const [HASH, OTHER, MORE] = ["a", "b", "c"].map((letter) => `${letter.repeat(43)}=`);
const MANIFEST = `module ipm.invalid/package

go 1.23.0

require (
	example.org/colour v0.2.0 // indirect
	example.org/tools/v3 v3.1.0 // indirect
)
`;
const SUMS = `example.org/colour v0.2.0 h1:${MORE}
example.org/colour v0.2.0/go.mod h1:${OTHER}
example.org/tools/v3 v3.1.0 h1:${HASH}
example.org/tools/v3 v3.1.0/go.mod h1:${OTHER}
`;
const LOCK = { "go.mod": MANIFEST, "go.sum": SUMS };

function expand(options: Readonly<Record<string, unknown>> = {}, bins = ["rc"]) {
  return goPackage.expand({ options, bins, version: "3.1.0", package: REFERENCE, lock: LOCK });
}

describe("the lock of a Go program", () => {
  test("pins the module by its h1, which is a sha256 in base64", () => {
    expect(goPackage.readLock(LOCK, REFERENCE, "3.1.0")).toEqual({ integrity: `sha256-${HASH}`, packages: 2 });
  });

  test("of two modules that begin the path the longer one holds the package", () => {
    const manifest = MANIFEST.replace("example.org/colour v0.2.0", "example.org/tools v1.0.0");
    const sums = SUMS.replaceAll("example.org/colour v0.2.0", "example.org/tools v1.0.0");
    const facts = goPackage.readLock({ "go.mod": manifest, "go.sum": sums }, REFERENCE, "3.1.0");
    expect(facts.integrity).toBe(`sha256-${HASH}`);
  });

  test.each([
    [
      "another version",
      { ...LOCK, "go.mod": MANIFEST.replace("v3.1.0", "v3.2.0") },
      "it pins example.org/tools/v3 v3.2.0",
    ],
    [
      "a replaced module",
      { ...LOCK, "go.mod": `${MANIFEST}\nreplace example.org/colour => ../colour\n` },
      "something else",
    ],
    [
      "a toolchain to fetch",
      { ...LOCK, "go.mod": `${MANIFEST}\ntoolchain go1.99.0\n` },
      "something else than requirements",
    ],
    ["no Go version", { ...LOCK, "go.mod": MANIFEST.replace("go 1.23.0\n", "") }, "something else than requirements"],
    [
      "no module of the package",
      { ...LOCK, "go.mod": MANIFEST.replace("example.org/tools", "example.org/x") },
      "no module",
    ],
    [
      "no hash of a requirement",
      { ...LOCK, "go.sum": SUMS.replace(/^.*colour v0.2.0\/go.mod.*\n/mu, "") },
      "no hash of example.org/colour",
    ],
    [
      "no hash of the module itself",
      { ...LOCK, "go.sum": SUMS.replace(/^.*v3 v3.1.0 h1.*\n/mu, "") },
      "no hash of example.org/tools/v3 v3.1.0",
    ],
    [
      "two hashes of one module",
      { ...LOCK, "go.sum": `${SUMS}example.org/colour v0.2.0 h1:${HASH}\n` },
      "no hash, or two",
    ],
    ["a hash of another kind", { ...LOCK, "go.sum": `${SUMS}example.org/x v1.0.0 h2:${HASH}\n` }, "no hash, or two"],
    ["nothing", {}, "something else than requirements"],
  ])("%s is refused", (_, lock, why) => {
    expect(() => goPackage.readLock(lock, REFERENCE, "3.1.0")).toThrow(
      expect.objectContaining({ code: "LOCK_INVALID", message: expect.stringContaining(why) }),
    );
  });
});

describe("the installation of a Go program", () => {
  test("builds the package from the module that requires it, and changes neither go.mod nor go.sum", () => {
    const { steps, requires, bins } = expand({ "version-variable": "main.version", tags: ["netgo"] });
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      run: [
        "go",
        "install",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        "-tags=netgo",
        "-ldflags=-s -w -X main.version=3.1.0",
        "example.org/tools/v3/cmd/rc",
      ],
      env: { GOBIN: "{prefix}/bin", CGO_ENABLED: "0", GOTOOLCHAIN: "local" },
      network: ["go"],
    });
    expect(requires).toEqual([expect.objectContaining({ tool: "go", version: ">=1.23.0" })]);
    expect(bins).toEqual({ rc: "bin/rc" });
  });

  test("a launcher may have another name; C needs a compiler and is asked for", () => {
    const output = expand({ cgo: "true" }, ["ripcat"]);
    expect(output.bins).toEqual({ ripcat: "bin/rc" });
    expect(output.requires.map((one) => "tool" in one && one.tool)).toEqual(["go", "cc"]);
    expect(output.steps[0]).toMatchObject({ env: { CGO_ENABLED: "1" } });
  });
});

describe("the answer of Go", () => {
  const answers = {
    ...LOCK,
    "package.txt":
      "main\nexample.org/tools/v3\nv3.1.0\nRc cats archives.\norigin https://code.example.org/owner/tools\n",
    "license.txt": "Permission is hereby granted, free of charge, to any person",
  };

  test("becomes a version with its lock", () => {
    expect(goPackage.read(answers, REFERENCE)).toMatchObject({
      version: "3.1.0",
      prerelease: false,
      integrity: `sha256-${HASH}`,
      lock: LOCK,
      bins: ["rc"],
      about: { name: "rc", summary: "Rc cats archives.", homepage: "https://code.example.org/owner/tools" },
    });
  });

  test.each([
    ["a library", { ...answers, "package.txt": answers["package.txt"].replace("main", "colour") }, "no program"],
    [
      "a retracted version",
      { ...answers, "package.txt": `${answers["package.txt"]}retracted "deletes files"\n` },
      "withdrawn v3.1.0",
    ],
    ["nothing", {}, "no answer"],
  ])("%s is refused", (_, given, why) => {
    expect(() => goPackage.read(given, REFERENCE)).toThrow(
      expect.objectContaining({ code: "PACKAGE_UNUSABLE", message: expect.stringContaining(why) }),
    );
  });

  test("is asked for by environment alone: no name is a part of the script", () => {
    const { step } = goPackage.ask(REFERENCE, "3.1.0");
    expect(step.env).toMatchObject({ IPM_PACKAGE: REFERENCE.name, IPM_WANTED: "v3.1.0" });
    expect(String(step.run)).not.toContain("example.org");
    expect(goPackage.ask(REFERENCE, null).step.env).toMatchObject({ IPM_WANTED: "latest" });
  });
});
