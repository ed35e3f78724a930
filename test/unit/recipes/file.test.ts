import { expect, test } from "vitest";
import { fileRecipe } from "../../../src/recipes/file.ts";
import type { RecipeDownload, RecipeOutput } from "../../../src/recipes/recipe.ts";
import { manifestOf, manifestYaml } from "../../helpers/manifests.ts";
import { resolveManifest } from "../../../src/manifest/resolve-manifest.ts";

function download(name: string, more: Partial<RecipeDownload> = {}): RecipeDownload {
  return { name: null, url: `https://example.org/v1/${name}`, sha256: "a".repeat(64), bytes: null, ...more };
}

function expandFile(
  downloads: readonly RecipeDownload[],
  options: Readonly<Record<string, unknown>> = {},
): RecipeOutput {
  return fileRecipe.expand({ files: [], texts: {}, bins: ["rc"], version: "1", options, downloads });
}

function scriptOf(output: RecipeOutput, index = 0): string {
  const step = output.steps[index];
  return step?.kind === "run" && typeof step.run === "string" ? step.run : "";
}

test.each([
  ["rc.tar.gz", ["tar", "gzip"], 'tar -xf "$TMPDIR/ipm-downloads/rc.tar.gz"'],
  ["rc.tar.xz", ["tar", "xz"], "tar -xf"],
  ["rc.tbz", ["tar", "bzip2"], "tar -xf"],
  ["rc.zip", ["unzip"], 'unzip -q "$TMPDIR/ipm-downloads/rc.zip"'],
  ["rc-linux.gz", ["gzip"], 'gzip -dc "$TMPDIR/ipm-downloads/rc-linux.gz" > "$IPM_PREFIX"/bin/rc'],
  ["rc-linux", [], 'cat "$TMPDIR/ipm-downloads/rc-linux" > "$IPM_PREFIX"/bin/rc'],
])("%s is unpacked by what is required for it", (name, tools, command) => {
  const output = expandFile([download(name)]);
  expect(output.requires.map((one) => ("tool" in one ? one.tool : ""))).toEqual(tools);
  expect(scriptOf(output)).toContain(command);
  expect(output.downloads).toMatchObject([{ file: name, sha256: "a".repeat(64) }]);
  expect(output.notices).toEqual([`${name} was built by upstream, not from this commit`]);
});

test("a jar is started by Java and not unpacked", () => {
  const output = expandFile([download("rc.jar")]);
  expect(output.launchers).toEqual({ rc: { run: ["java", "-jar", "lib/java/rc.jar"], env: {} } });
  expect(output.requires).toMatchObject([{ tool: "java", for: "both" }]);
  expect(output.steps).toHaveLength(1);
});

test("a file with a name is data; hostile names in an address stay file names", () => {
  const output = expandFile([download("..%2F..%2Fetc$(x)", { name: "weights" })], { name: "weights", to: "share/w" });
  expect(output.steps).toHaveLength(1);
  expect(output.downloads?.[0]?.file).toBe("_.._etc__x_");
  expect(() => expandFile([download("rc")], { to: "../x" })).toThrow("leaves the prefix");
  expect(() => expandFile([download("rc")], { name: "weights" })).toThrow("no file weights for this platform");
});

test("options: as it is, its top folder kept, another program's name", () => {
  expect(scriptOf(expandFile([download("rc.zip")], { unpack: "false" }))).toContain("cat ");
  expect(scriptOf(expandFile([download("rc.zip")], { strip: "false" }))).not.toContain("ls -A");
  expect(scriptOf(expandFile([download("rc.zip")], { bin: { rc: "rc-x64" } }), 1)).toContain("found=rc-x64");
});

test("a platform gets the file that names it best, with its size in bytes", () => {
  const file = (platform: string, name: string): string =>
    `{ platform: ${platform}, url: "https://example.org/${name}", sha256: ${"b".repeat(64)}, size: 1.5MB }`;
  const versions = `versions: [{ version: 2.10, commit: ${"1".repeat(40)}, tree: ${"2".repeat(40)}, files: [${file("linux", "any")}, ${file("linux-x64-musl", "musl")}, ${file("linux-x64", "x64")}] }]`;
  const source = manifestOf(manifestYaml({ versions, steps: "steps: [uses: file]" }));
  const on = (libc: "glibc" | "musl", arch = "x64"): unknown =>
    resolveManifest(source, { version: "2.10", method: null, platform: { os: "linux", arch, libc } }).version.files;
  expect(on("glibc")).toEqual([
    { name: null, url: "https://example.org/x64", sha256: "b".repeat(64), bytes: 1_500_000 },
  ]);
  expect(on("musl")).toMatchObject([{ url: "https://example.org/musl" }]);
  expect(on("glibc", "arm64")).toMatchObject([{ url: "https://example.org/any" }]);
});
