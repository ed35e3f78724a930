import { describe, expect, test } from "vitest";
import type { IpmError } from "../../../src/core/errors.ts";
import type { Platform } from "../../../src/core/host.ts";
import { LARGER_EXAMPLE } from "../../../src/manifest/manifest-reference.ts";
import { methodsOf } from "../../../src/manifest/methods-of.ts";
import { resolveElsewhere } from "../../../src/manifest/resolve-elsewhere.ts";
import { methodChoices, resolveManifest } from "../../../src/manifest/resolve-manifest.ts";
import { DIGITS, manifestOf, manifestYaml } from "../../helpers/manifests.ts";

const LINUX: Platform = { os: "linux", arch: "x64", libc: "glibc" };
const ALPINE: Platform = { os: "linux", arch: "x64", libc: "musl" };
const MAC: Platform = { os: "macos", arch: "arm64", libc: null };

function versions(...names: readonly string[]): string {
  return `versions:\n${names.map((name) => `  - { version: ${name}, commit: ${DIGITS}, tree: ${DIGITS} }`).join("\n")}`;
}

function failure(work: () => unknown): IpmError {
  try {
    work();
  } catch (error) {
    // oxlint-disable-next-line no-unsafe-type-assertion -- the test compares its code
    return error as IpmError;
  }
  throw new Error("nothing was thrown");
}

describe("the smallest manifest", () => {
  test("resolves to concrete values, with everything that is implied", () => {
    const manifest = resolveManifest(manifestOf(manifestYaml()), { version: "2.10", method: null, platform: LINUX });
    expect(manifest).toEqual({
      name: "ripcat",
      kind: "tool",
      summary: "Search text in archives",
      license: "MIT",
      homepage: "https://github.com/owner/ripcat",
      notes: null,
      deprecated: null,
      source: {
        git: "https://github.com/owner/ripcat.git",
        bundle: null,
        path: null,
        package: null,
        from: "checkout",
        submodules: [],
      },
      version: {
        version: "2.10",
        ref: "refs/tags/v2.10",
        commit: DIGITS,
        tree: DIGITS,
        integrity: null,
        lock: null,
        added: null,
        prerelease: false,
        withdrawn: null,
        files: [],
      },
      method: "npm",
      requires: [],
      inputs: [],
      persist: [],
      steps: [
        { uses: "npm", with: {}, why: null, dir: null, env: {}, timeoutMs: null, network: null, optional: false },
      ],
      provides: { bin: { rc: { file: null, env: {} } }, share: {}, completions: {} },
      tests: [
        {
          run: "printf abc | rc b",
          stdin: null,
          timeoutMs: null,
          duringStart: false,
          expect: { exit: 0, stdout: "^abc$", stderr: null, output: null },
        },
      ],
      start: null,
      elsewhere: {},
    });
  });

  test("a bundle implies no homepage", () => {
    const source = manifestOf(manifestYaml({ source: "source: { bundle: sources/ripcat.bundle }" }));
    expect(resolveManifest(source, { version: "2.10", method: null, platform: LINUX })).toMatchObject({
      homepage: null,
      source: { git: null, bundle: "sources/ripcat.bundle" },
    });
  });
});

describe("the larger example", () => {
  const source = manifestOf(LARGER_EXAMPLE);

  test("resolves its first method", () => {
    const manifest = resolveManifest(source, { version: "2.1.0", method: null, platform: LINUX });
    expect(manifest.method).toBe("npm");
    expect(manifest.homepage).toBe("https://ripcat.example.org/");
    expect(manifest.requires.map((one) => ["tool" in one ? one.tool : null, one.for, one.optional])).toEqual([
      ["node", "both", false],
      ["ffmpeg", "run", true],
    ]);
    expect(manifest.steps[1]).toEqual({
      run: "make completions",
      why: "shell completions are not in the repository",
      dir: "shell",
      env: {},
      timeoutMs: 600_000,
      network: null,
      optional: true,
    });
    expect(manifest.provides).toEqual({
      bin: {
        rc: { file: "bin/rc", env: {} },
        rcd: { run: ["node", "lib/rcd.js"], env: { RC_CONFIG: "{prefix}/etc/rc.conf" } },
      },
      share: { "zsh/rc.zsh": "shell/rc.zsh" },
      completions: { rc: { bash: "share/rc.bash" } },
    });
    expect(manifest.tests[0]).toMatchObject({
      stdin: "abc",
      timeoutMs: 30_000,
      expect: { stdout: String.raw`^rc 2\.1\.0` },
    });
    expect(manifest.start).toEqual({ run: "rcd --port 8080", url: "http://127.0.0.1:8080/" });
    expect(manifest.elsewhere).toEqual({ npm: "ripcat@2.1.0", flatpak: "org.example.Ripcat" });
  });

  test("a method's own tests replace the shared ones", () => {
    const manifest = resolveManifest(source, { version: "2.1.0", method: "copy", platform: LINUX });
    expect(manifest.tests.map(({ run }) => run)).toEqual(["rc --help"]);
  });

  test("methods are passed over by platform and version, with a reason", () => {
    expect(methodChoices(source, "2.0.0", MAC)).toEqual([
      { id: "npm", applies: false, why: "is for 2.1.0 and newer" },
      { id: "copy", applies: true },
    ]);
    expect(methodChoices(source, "2.1.0", { os: "macos", arch: "x64", libc: null })).toEqual([
      { id: "npm", applies: true },
      { id: "copy", applies: false, why: "is for linux, macos-arm64, and this is macos-x64" },
    ]);
    expect(resolveManifest(source, { version: "2.0.0", method: null, platform: MAC }).method).toBe("copy");
  });

  test("the result is plain JSON", () => {
    const manifest = resolveManifest(source, { version: "2.1.0", method: null, platform: LINUX });
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });
});

describe("methods", () => {
  test("since and until include the version they name and go by position, not by number", () => {
    const source = manifestOf(
      manifestYaml({
        // By number 9.0 would be the newest; the list says otherwise.
        versions: versions("10.0", "2.0", "9.0", "1.0"),
        steps: "methods: [{ id: mid, since: 9.0, until: 2.0, steps: [uses: npm] }]",
      }),
    );
    const applies = (version: string): boolean | undefined => methodChoices(source, version, LINUX)[0]?.applies;
    expect(["10.0", "2.0", "9.0", "1.0"].map(applies)).toEqual([false, true, true, false]);
    expect(methodChoices(source, "10.0", LINUX)[0]).toMatchObject({ why: "is for 2.0 and older" });
  });

  test("a shorter platform covers the longer ones, and the shared platforms are for methods without their own", () => {
    const source = manifestOf(
      manifestYaml({
        platforms: "platforms: [linux-x64-musl]",
        steps:
          "methods: [{ id: shared, steps: [uses: npm] }, { id: own, platforms: [linux-x64, macos], steps: [uses: npm] }]",
      }),
    );
    const fitting = (platform: Platform): string[] =>
      methodChoices(source, "2.10", platform).flatMap(({ id, applies }) => (applies ? [id] : []));
    expect(fitting(LINUX)).toEqual(["own"]);
    expect(fitting(ALPINE)).toEqual(["shared", "own"]);
    expect(fitting(MAC)).toEqual(["own"]);
    expect(fitting({ os: "linux", arch: "arm64", libc: "glibc" })).toEqual([]);
  });

  test("an id is the first recipe's, or steps", () => {
    const ids = (steps: string): string[] => methodsOf(manifestOf(manifestYaml({ steps }))).map(({ id }) => id);
    expect(ids("steps: [{ run: make }, { uses: copy }]")).toEqual(["copy"]);
    expect(ids("steps: [run: make]")).toEqual(["steps"]);
    expect(ids("methods: [{ steps: [run: make] }, { steps: [uses: npm] }, { id: x, steps: [uses: npm] }]")).toEqual([
      "steps",
      "npm",
      "x",
    ]);
  });

  test("a method's requirements come after the shared ones, its commands replace the shared ones", () => {
    const source = manifestOf(
      manifestYaml({
        requires: "requires: [{ tool: node }]",
        steps: "methods: [{ requires: [{ tool: make, for: build }], steps: [uses: npm], provides: { bin: [other] } }]",
      }),
    );
    const manifest = resolveManifest(source, { version: "2.10", method: null, platform: LINUX });
    expect(manifest.requires.map((one) => ("tool" in one ? one.tool : null))).toEqual(["node", "make"]);
    expect(Object.keys(manifest.provides.bin)).toEqual(["other"]);
  });

  test("without a fitting method every method and its reason is named", () => {
    const source = manifestOf(
      manifestYaml({
        steps:
          "methods: [{ id: a, platforms: [macos], steps: [uses: npm] }, { id: b, platforms: [linux-arm64], steps: [uses: npm] }]",
      }),
    );
    const error = failure(() => resolveManifest(source, { version: "2.10", method: null, platform: LINUX }));
    expect(error.code).toBe("METHOD_NOT_APPLICABLE");
    expect(error.message).toBe(
      "no method of ripcat 2.10 fits: a is for macos, and this is linux-x64-glibc; b is for linux-arm64, and this is linux-x64-glibc",
    );
  });

  test("a method that was asked for must exist and fit", () => {
    const source = manifestOf(LARGER_EXAMPLE);
    expect(
      failure(() => resolveManifest(source, { version: "2.1.0", method: "cargo", platform: LINUX })).message,
    ).toContain("cargo of ripcat 2.1.0 does not exist");
    expect(
      failure(() => resolveManifest(source, { version: "2.0.0", method: "npm", platform: LINUX })).message,
    ).toContain("npm of ripcat 2.0.0 does not fit");
  });

  test("an unknown version is VERSION_NOT_FOUND", () => {
    expect(
      failure(() => resolveManifest(manifestOf(manifestYaml()), { version: "3", method: null, platform: LINUX })).code,
    ).toBe("VERSION_NOT_FOUND");
  });

  test("a library has no method and says where else it is", () => {
    const source = manifestOf(
      manifestYaml({
        kind: "kind: library",
        steps: null,
        bin: null,
        tests: null,
        elsewhere: 'elsewhere: { npm: "ripcat@{version}" }',
      }),
    );
    expect(methodsOf(source)).toEqual([]);
    expect(failure(() => resolveManifest(source, { version: "2.10", method: null, platform: LINUX })).code).toBe(
      "NOTHING_TO_INSTALL",
    );
    expect(resolveElsewhere(source, "2.10")).toEqual({ npm: "ripcat@2.10" });
  });
});

describe("placeholders", () => {
  test("are filled once, in env, with, expect and elsewhere; {prefix} stays", () => {
    const source = manifestOf(
      manifestYaml({
        steps: `steps: [{ uses: npm, env: { A: "{version}/{commit}/{prefix}" }, with: { key: ["{version}", { b: "{prefix}" }] } }]`,
        tests: `tests: [{ run: rc, expect: { stdout: "^{version} {prefix}$", stderr: "{commit}" } }]`,
        elsewhere: `elsewhere: { npm: "ripcat@{version}#{commit}" }`,
      }),
    );
    const manifest = resolveManifest(source, { version: "2.10", method: null, platform: LINUX });
    expect(manifest.steps[0]).toMatchObject({
      env: { A: `2.10/${DIGITS}/{prefix}` },
      with: { key: ["2.10", { b: "{prefix}" }] },
    });
    expect(manifest.tests[0]?.expect).toMatchObject({ stdout: String.raw`^2\.10 {prefix}$`, stderr: DIGITS });
    expect(manifest.elsewhere).toEqual({ npm: `ripcat@2.10#${DIGITS}` });
  });

  test("a version with signs of patterns matches only itself", () => {
    const source = manifestOf(
      manifestYaml({ versions: versions("1.0+a-b"), tests: 'tests: [{ run: rc, expect: { stdout: "^{version}$" } }]' }),
    );
    const stdout =
      resolveManifest(source, { version: "1.0+a-b", method: null, platform: LINUX }).tests[0]?.expect.stdout ?? "";
    expect(new RegExp(stdout, "mu").test("1.0+a-b")).toBe(true);
    expect(new RegExp(stdout, "mu").test("1x0+a-b")).toBe(false);
  });
});
