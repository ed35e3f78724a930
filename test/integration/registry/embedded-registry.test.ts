import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFiles } from "../../../src/host/files.ts";
import { compileRegistry } from "../../../src/registry/compile-registry.ts";
import { openRegistries } from "../../../src/registry/open-registries.ts";
import {
  manifestYaml,
  registryContext,
  registryFiles,
  registryYaml,
  writeTree,
} from "../../helpers/registry-folder.ts";

let folder: string;
let source: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ipm-test-registry-"));
  source = path.join(folder, "source");
  out = path.join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const compile = () => compileRegistry(createFiles(), source, out);
const open = () => openRegistries(registryContext(folder, { embedded: out }));
const codes = (result: { findings: readonly { code: string; file: string }[] }): string[] =>
  result.findings.map(({ code, file }) => `${code} ${file}`);

describe("the registry that ships with ipm", () => {
  test("finds an entry by name, alias, former name, repository and former repository", async () => {
    writeTree(
      source,
      registryFiles("main", [
        {
          name: "ripcat",
          more: "aliases: [rip-cat]\nformerly: [catrip, oldowner/ripcat]\n",
          git: "https://github.com/Owner/ripcat.git",
        },
        { name: "other" },
      ]),
    );
    await compile();
    const registries = await open();
    for (const [asked, how] of [
      ["ripcat", "name"],
      ["rip-cat", "alias"],
      ["catrip", "formerly"],
    ] as const) {
      const found = await registries.lookUp(asked);
      expect(found.entry.name).toBe("ripcat");
      expect({ how: found.how, registry: found.registry, file: found.manifestFile }).toEqual({
        how,
        registry: "main",
        file: "packages/ripcat/manifest.yaml",
      });
    }
    for (const [asked, how] of [
      ["owner/RIPCAT", "source"],
      ["https://github.com/owner/ripcat", "source"],
      ["git@github.com:owner/ripcat.git", "source"],
      ["oldowner/ripcat", "formerly"],
    ] as const) {
      const found = await registries.lookUpSource(asked);
      expect({ asked, name: found?.entry.name, how: found?.how }).toEqual({ asked, name: "ripcat", how });
    }
    expect(await registries.lookUpSource("owner/nothing")).toBeUndefined();
    expect(await registries.lookUpSource("not a source")).toBeUndefined();
    registries.close();
  });

  test("keeps what the manifest says, text as written", async () => {
    writeTree(source, registryFiles("main", [{ name: "tool", version: "2.10" }]));
    await compile();
    const { entry } = await (await open()).lookUp("tool");
    expect(entry.versions).toEqual([
      { version: "2.10", ref: "refs/tags/v2.10", commit: "1".repeat(40), tree: "2".repeat(40) },
    ]);
  });

  test("brings the bundles that entries need, and nothing else", async () => {
    writeTree(source, {
      ...registryFiles("main", [{ name: "tool", bundle: "sources/tool.bundle" }]),
      "sources/tool.bundle": "bundle",
      "sources/unused.bundle": "unused",
      "demos/tool/README.md": "not shipped",
    });
    const { written } = await compile();
    expect(written).toEqual(["registry.index", "registry.yaml", "sources/tool.bundle"]);
    const found = await (await open()).lookUp("tool");
    const file = await found.bundleFile("sources/tool.bundle");
    expect(path.isAbsolute(file) && readFileSync(file, "utf8")).toBe("bundle");
    await expect(found.bundleFile("sources/unused.bundle")).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
    await expect(found.bundleFile("../source/registry.yaml")).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
  });

  test("a registry may be in the folder `registry` of a repository", async () => {
    writeTree(path.join(source, "registry"), registryFiles("main", [{ name: "tool" }]));
    expect((await compile()).meta).toMatchObject({ id: "main", entries: 1 });
  });

  test("equal folders give equal bytes, whatever the order and the time they were written in", async () => {
    const files = registryFiles("main", [{ name: "b" }, { name: "a" }, { name: "c", more: "aliases: [d]\n" }]);
    writeTree(source, files);
    await compile();
    const first = readFileSync(path.join(out, "registry.index"));
    rmSync(source, { recursive: true });
    writeTree(source, Object.fromEntries(Object.entries(files).toReversed()));
    await compile();
    expect(Buffer.compare(readFileSync(path.join(out, "registry.index")), first)).toBe(0);
  });

  test("an unknown name is answered with the nearest names and how to search, never with a near match", async () => {
    writeTree(source, registryFiles("main", [{ name: "ripgrep" }, { name: "ripcat" }, { name: "lstm-demo" }]));
    await compile();
    const registries = await open();
    await expect(registries.lookUp("ripgerp")).rejects.toMatchObject({
      code: "TOOL_NOT_FOUND",
      exitCode: 7,
      hint: "ipm search ripgerp",
      data: { nearest: ["ripgrep"] },
    });
    await expect(registries.lookUp("lstm")).rejects.toMatchObject({ data: { nearest: ["lstm-demo"] } });
    await expect(registries.lookUp("RIPGREP")).rejects.toMatchObject({
      code: "TOOL_NOT_FOUND",
      data: { nearest: ["ripgrep"] },
    });
    await expect(registries.lookUp("\u001b[31m\tx")).rejects.toThrow(/there is no tool "\\x1b\[31m/u);
    await expect(registries.lookUpIn("nowhere", "ripgrep")).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  test("searches names, keywords and summaries", async () => {
    writeTree(
      source,
      registryFiles("main", [
        { name: "ripgrep", summary: "Search text in files" },
        { name: "viewer", summary: "Look at pictures", more: "keywords: [search]\n" },
      ]),
    );
    await compile();
    expect(await (await open()).search("serach")).toMatchObject([
      { name: "viewer", registry: "main", version: "1.0.0", summary: "Look at pictures" },
      { name: "ripgrep", registry: "main", version: "1.0.0", summary: "Search text in files" },
    ]);
  });

  test("two tools from one repository: asks which one is meant", async () => {
    const git = "https://github.com/owner/mono.git";
    writeTree(
      source,
      registryFiles("main", [
        { name: "one", git },
        { name: "two", git },
      ]),
    );
    await compile();
    await expect((await open()).lookUpSource("owner/mono")).rejects.toMatchObject({
      code: "NAME_AMBIGUOUS",
      data: { candidates: ["main:one", "main:two"] },
    });
  });

  test("a broken manifest is reported with its place and leaves the others alone", async () => {
    writeTree(source, {
      ...registryFiles("main", [{ name: "good" }]),
      "packages/bad/manifest.yaml": "schema: ipm/v1\nnam: bad\n",
    });
    const result = await compile();
    expect(codes(result)).toContain("UNKNOWN_KEY packages/bad/manifest.yaml");
    expect(result.meta.entries).toBe(1);
    const registries = await open();
    expect((await registries.lookUp("good")).entry.name).toBe("good");
    await expect(registries.lookUp("bad")).rejects.toThrow(/packages\/bad\/manifest\.yaml:2:1: UNKNOWN_KEY/u);
  });

  test("an alias never takes the name of another entry, and the first of two aliases stays", async () => {
    writeTree(
      source,
      registryFiles("main", [
        { name: "git-lab", more: "aliases: [ripgrep]\n" },
        { name: "ripgrep" },
        { name: "one", more: "aliases: [shared]\n" },
        { name: "two", more: "formerly: [shared]\n" },
      ]),
    );
    expect(codes(await compile())).toEqual([
      "NAME_TAKEN packages/git-lab/manifest.yaml",
      "NAME_TAKEN packages/two/manifest.yaml",
    ]);
    const registries = await open();
    expect((await registries.lookUp("ripgrep")).how).toBe("name");
    expect((await registries.lookUp("shared")).entry.name).toBe("one");
    await expect(registries.lookUp("git-lab")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("E99: a name that was taken out is not given away again, and look-ups say why it is gone", async () => {
    writeTree(
      source,
      registryFiles(
        "main",
        [{ name: "evil" }, { name: "fresh", more: "aliases: [evil]\n" }],
        "removed: { evil: it stole tokens }\n",
      ),
    );
    expect(codes(await compile())).toEqual([
      "NAME_REMOVED packages/evil/manifest.yaml",
      "NAME_REMOVED packages/fresh/manifest.yaml",
    ]);
    const registries = await open();
    await expect(registries.lookUp("fresh")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    expect(await registries.search("evil")).toEqual([]);
    rmSync(path.join(source, "packages"), { recursive: true });
    await compile();
    await expect((await open()).lookUp("evil")).rejects.toThrow(/taken out of the registry main: it stole tokens/u);
  });

  test("E97: a name that can be mistaken for another one is reported until registry.yaml accepts the two", async () => {
    const entries = [
      { name: "ripgrep" },
      { name: "rip-grep" },
      { name: "ripgrpe" },
      { name: "ripgreps" },
      { name: "rg", more: "aliases: [rip_gerp]\n" },
      { name: "unlike" },
    ];
    writeTree(source, registryFiles("main", entries));
    const { findings, meta } = await compile();
    expect(findings.map(({ code, severity }) => `${severity} ${code}`)).toContain("error NAME_SIMILAR");
    const said = findings.map(({ message }) => message).join("\n");
    for (const pair of [
      "`ripgrep` can be mistaken for `rip-grep`",
      "`ripgrpe` can be mistaken for `ripgrep`",
      "`ripgreps` can be mistaken for `ripgrep`",
    ]) {
      expect(said).toContain(pair);
    }
    expect(said).not.toContain("unlike");
    expect(meta.entries).toBe(6);
    const group = "[ripgrep, rip-grep, ripgrpe, ripgreps, rg, rip_gerp]";
    writeTree(source, registryFiles("main", entries, `alike: [${group}]\n`));
    expect((await compile()).findings).toEqual([]);
  });

  test("E102: a manifest that is a link, a folder, missing, or under another name is refused; links are never followed", async () => {
    writeTree(source, registryFiles("main", [{ name: "good", bundle: "sources/good.bundle" }, { name: "moved" }]));
    const secret = path.join(folder, "secret.yaml");
    writeFileSync(secret, manifestYaml({ name: "linked" }));
    mkdirSync(path.join(source, "packages/linked"));
    symlinkSync(secret, path.join(source, "packages/linked/manifest.yaml"));
    writeTree(path.join(folder, "elsewhere"), { "manifest.yaml": manifestYaml({ name: "linked-folder" }) });
    symlinkSync(path.join(folder, "elsewhere"), path.join(source, "packages/linked-folder"));
    mkdirSync(path.join(source, "packages/folder/manifest.yaml"), { recursive: true });
    mkdirSync(path.join(source, "packages/empty"));
    writeFileSync(path.join(source, "packages/stray.txt"), "");
    writeTree(source, { "packages/other/manifest.yaml": manifestYaml({ name: "another" }) });
    mkdirSync(path.join(source, "sources"));
    symlinkSync(secret, path.join(source, "sources/good.bundle"));
    const result = await compile();
    expect(codes(result)).toEqual([
      "MANIFEST_MISSING packages/empty",
      "NOT_A_FILE packages/folder/manifest.yaml",
      "BUNDLE_MISSING packages/good/manifest.yaml",
      "NOT_A_FILE packages/linked-folder",
      "NOT_A_FILE packages/linked/manifest.yaml",
      "NAME_MISMATCH packages/other/manifest.yaml",
      "NOT_A_FILE packages/stray.txt",
    ]);
    expect(result.meta.entries).toBe(1);
    const registries = await open();
    await expect(registries.lookUp("another")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    await expect(registries.lookUp("linked")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("E102: `packages` or `registry.yaml` that is a link is refused", async () => {
    writeTree(path.join(folder, "real"), registryFiles("main", [{ name: "tool" }]));
    writeTree(source, { "registry.yaml": registryYaml("main") });
    symlinkSync(path.join(folder, "real/packages"), path.join(source, "packages"));
    expect(codes(await compile())).toEqual(["NOT_A_FILE packages"]);
    rmSync(path.join(source, "registry.yaml"));
    symlinkSync(path.join(folder, "real/registry.yaml"), path.join(source, "registry.yaml"));
    await expect(compile()).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
  });

  test("a folder that is no registry is refused and says what is missing", async () => {
    mkdirSync(source);
    await expect(compile()).rejects.toThrow(/is not a registry: it has no registry\.yaml/u);
    writeTree(source, { "registry.yaml": "id: Main\nmaintainers: [a]\n" });
    await expect(compile()).rejects.toThrow(/registry\.yaml:1:5: INVALID_NAME/u);
  });

  test("an index that is missing, cut off or changed anywhere is refused with a clear message", async () => {
    writeTree(source, registryFiles("main", [{ name: "tool" }, { name: "other" }]));
    await compile();
    const file = path.join(out, "registry.index");
    const whole = readFileSync(file);
    const use = async (): Promise<void> => {
      const registries = await open();
      try {
        await registries.lookUp("tool");
        await registries.lookUp("other");
        await registries.search("tool");
      } finally {
        registries.close();
      }
    };
    const refused = { code: "REGISTRY_INVALID", hint: expect.stringMatching(/install ipm again/u) as unknown };
    for (const length of [0, 1, 100, 1023, 1024, whole.length - 1]) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      await expect(use()).rejects.toMatchObject(refused);
    }
    for (const garbage of ["", "not an index", "x".repeat(10_000), "<html>captive portal</html>".repeat(1000)]) {
      writeFileSync(file, garbage);
      await expect(use()).rejects.toMatchObject(refused);
    }
    rmSync(file);
    await expect(use()).rejects.toMatchObject(refused);
    expect(readdirSync(out).toSorted()).toEqual(["registry.yaml"]);
    writeFileSync(file, whole);
    await use();
  });
});
