import {
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createFiles } from "../../../src/host/files.ts";
import { compileRegistry } from "../../../src/registry/compile-registry.ts";
import { addRegistry, listRegistries, removeRegistry } from "../../../src/registry/configure-registries.ts";
import { openRegistries } from "../../../src/registry/open-registries.ts";
import { updateRegistries } from "../../../src/registry/update-registries.ts";
import { attestationFile, formatAttestations } from "../../../src/trust/attestation.ts";
import { sampleAttestation } from "../../helpers/sample-attestation.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { manifestYaml, registryFiles, registryYaml, writeTree } from "../../helpers/registry-folder.ts";
import { useRegistryHome } from "../../helpers/registry-home.ts";

const { at, context, open, closeLater } = useRegistryHome();
const configFile = (): string => at("config", "config.yaml");

/** The embedded registry `main` with these entries; returns its folder. */
async function embed(names: readonly string[], more = ""): Promise<string> {
  rmSync(at("main"), { recursive: true, force: true });
  writeTree(
    at("main"),
    registryFiles(
      "main",
      names.map((name) => ({ name })),
      more,
    ),
  );
  await compileRegistry(createFiles(), at("main"), at("embedded"));
  return at("embedded");
}

function configure(registries: string): void {
  mkdirSync(at("config"), { recursive: true });
  writeFileSync(configFile(), registries);
}

function indexes(id: string): string[] {
  return readdirSync(at("cache", "registries", id)).filter((name) => name.endsWith(".index"));
}

/** Go on once the clock of the file system has moved on, so that the next write bears another time. */
function waitForAnotherTick(file: string): void {
  const { ctimeMs } = statSync(file);
  do writeFileSync(at("probe"), "");
  while (statSync(at("probe")).ctimeMs <= ctimeMs);
}

describe("a registry that is a folder", () => {
  test("is looked up as it is now: new, changed and removed entries are seen at once", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }, { name: "two" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    expect((await (await open()).lookUp("one")).registry).toBe("team");
    // The same size: only the times tell.
    waitForAnotherTick(at("team/packages/one/manifest.yaml"));
    writeTree(at("team"), registryFiles("team", [{ name: "one", version: "1.0.1" }]));
    expect((await (await open()).lookUp("one")).entry.versions[0]?.version).toBe("1.0.1");
    writeTree(at("team"), registryFiles("team", [{ name: "three" }]));
    expect((await (await open()).lookUp("three")).registry).toBe("team");
    rmSync(at("team/packages/two"), { recursive: true });
    await expect((await open()).lookUp("two")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
  });

  test("a change that keeps size and modification time is seen", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one", version: "1.0.1" }]));
    const file = at("team/packages/one/manifest.yaml");
    utimesSync(file, 1, 1);
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    waitForAnotherTick(file);
    writeFileSync(file, manifestYaml({ name: "one", version: "1.0.2" }));
    utimesSync(file, 1, 1);
    expect((await (await open()).lookUp("one")).entry.versions[0]?.version).toBe("1.0.2");
  });

  test("keeps one index in the cache, made once and used until something changes", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    const [first = ""] = indexes("team");
    const made = statSync(at("cache/registries/team", first)).ino;
    await (await open()).lookUp("one");
    expect(statSync(at("cache/registries/team", first)).ino).toBe(made);
    writeTree(at("team"), registryFiles("team", [{ name: "two" }]));
    await (await open()).lookUp("two");
    expect(indexes("team")).toHaveLength(1);
    expect(indexes("team")).not.toContain(first);
  });

  test("an entry that is asked for by its name is compared with its own files alone", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }, { name: "two", more: "aliases: [zwei]\n" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    const reading = context();
    const looked: string[] = [];
    const facts = reading.host.files.facts.bind(reading.host.files);
    const watched = { ...reading, host: { ...reading.host, files: { ...reading.host.files } } };
    watched.host.files.facts = async (file) => {
      looked.push(path.relative(at("team"), file));
      return facts(file);
    };
    const registries = await openRegistries(watched);
    closeLater(registries);
    await registries.lookUp("one");
    expect(looked.filter((file) => file.startsWith("packages/two"))).toEqual([]);
    await registries.lookUp("zwei");
    expect(looked).toContain("packages/two/manifest.yaml");
    expect(looked.filter((file) => file.startsWith("packages/one")).length).toBeLessThanOrEqual(3);
  });

  test("a change to an entry that nobody asks for is seen by search, by repository, and by a name that is not there", async () => {
    const write = (name: string, more: string): void => {
      waitForAnotherTick(at("team/packages", name, "manifest.yaml"));
      writeFileSync(at("team/packages", name, "manifest.yaml"), manifestYaml({ name, more }));
    };
    writeTree(at("team"), registryFiles("team", [{ name: "one" }, { name: "two" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    write("two", "keywords: [zebra]\n");
    expect((await (await open()).search("zebra")).map(({ name }) => name)).toEqual(["two"]);
    write("two", "aliases: [zwei]\n");
    expect((await (await open()).lookUp("zwei")).entry.name).toBe("two");
    write("two", "formerly: [old/home]\n");
    expect((await (await open()).lookUpSource("old/home"))?.entry.name).toBe("two");
    // It loses the name that it had: the entry that has it now is the one that is found.
    writeTree(at("team"), registryFiles("team", [{ name: "zwei", summary: "Its own" }]));
    expect((await (await open()).lookUp("zwei")).entry.name).toBe("zwei");
  });

  test("a search among many looks at what it shows, and at the others after a while or an update", async () => {
    const names = Array.from({ length: 100 }, (_, at) => `tool-${at}`);
    writeTree(at("team"), registryFiles("team", [...names.map((name) => ({ name })), { name: "two" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    const began = Date.now() + 60_000;
    const later = (ms: number): ReturnType<typeof context> => {
      const made = context();
      return { ...made, host: { ...made.host, now: () => new Date(began + ms) } };
    };
    const search = async (words: string, ms: number): Promise<string[]> => {
      const registries = await openRegistries(later(ms));
      closeLater(registries);
      return (await registries.search(words)).map(({ name, summary }) => `${name}: ${summary}`);
    };
    const write = (name: string, summary: string, more = ""): void => {
      waitForAnotherTick(at("team/packages", name, "manifest.yaml"));
      writeFileSync(at("team/packages", name, "manifest.yaml"), manifestYaml({ name, summary, more }));
    };
    const [, before = ""] = /^two: (.*)$/u.exec((await search("two", 0)).join("\n")) ?? [];
    expect(before).not.toBe("");
    // What is shown is compared.
    write("two", "Another one");
    expect(await search("two", 500)).toEqual(["two: Another one"]);
    // Which compared all, so that only what is found is looked at for another second.
    write("two", "With zebras", "formerly: [old/home]\n");
    expect(await search("zebras", 1_400)).toEqual([]);
    const registries = await openRegistries(later(1_400));
    closeLater(registries);
    expect((await registries.lookUp("two")).entry.summary).toBe("With zebras");
    expect((await registries.lookUpSource("old/home"))?.entry.name).toBe("two");
    expect(await search("zebras", 1_400)).toEqual(["two: With zebras"]);
    write("two", "With a giraffe");
    expect(await search("giraffe", 2_300)).toEqual([]);
    expect(await search("giraffe", 2_500)).toEqual(["two: With a giraffe"]);
    write("two", "With an okapi");
    expect(await search("okapi", 2_600)).toEqual([]);
    await updateRegistries(later(2_600));
    expect(await search("okapi", 2_600)).toEqual(["two: With an okapi"]);
    // A clock that was set back.
    write("two", "With a tapir");
    expect(await search("tapir", -10)).toEqual(["two: With a tapir"]);
    // Entries that come and go are seen at once.
    writeTree(at("team"), registryFiles("team", [{ name: "tapir", summary: "Another tapir" }]));
    expect(await search("tapir", 0)).toEqual(["tapir: Another tapir", "two: With a tapir"]);
  });

  test("stamps that go with other layers, are cut off or gone, are not used", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }, { name: "two" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    const stamps = at("cache/registries/team/stamps");
    const first = readFileSync(stamps, "utf8");
    const change = (version: string): void => {
      waitForAnotherTick(at("team/packages/two/manifest.yaml"));
      writeTree(at("team"), registryFiles("team", [{ name: "two", version }]));
    };
    change("1.0.1");
    expect((await (await open()).search("two"))[0]?.version).toBe("1.0.1");
    // The file of an index that could not be written: it says what the files look like now, and the layers do not.
    change("1.0.2");
    const [layers = ""] = readFileSync(stamps, "utf8").split("\n");
    expect((await (await open()).search("two"))[0]?.version).toBe("1.0.2");
    const now = readFileSync(stamps, "utf8");
    expect(now.startsWith(layers)).toBe(false);
    for (const content of [first, now.slice(0, now.length / 2), now.replace(/^.*\n/u, ""), ""]) {
      writeFileSync(stamps, content);
      expect((await (await open()).search("two"))[0]?.version).toBe("1.0.2");
    }
    rmSync(stamps);
    change("1.0.3");
    expect((await (await open()).search("two"))[0]?.version).toBe("1.0.3");
  });

  test("adding a folder keeps the index that it made", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    await addRegistry(context(), at("team"));
    const [first = ""] = indexes("team");
    const made = statSync(at("cache/registries/team", first)).ino;
    expect((await (await open()).lookUp("one")).registry).toBe("team");
    expect(statSync(at("cache/registries/team", first)).ino).toBe(made);
  });

  test("an attestation that comes or goes is seen, though the manifest stays", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    expect((await (await open()).lookUp("one")).attestations).toEqual([]);
    const place = { name: "one", version: "1.0.0", platform: "linux-x64-glibc" };
    const file = `packages/one/attestations/${attestationFile(place.version, place.platform)}`;
    writeTree(at("team"), { [file]: formatAttestations([sampleAttestation(place)]) });
    expect((await (await open()).lookUp("one")).attestations).toHaveLength(1);
    rmSync(at("team", file));
    expect((await (await open()).lookUp("one")).attestations).toEqual([]);
  });

  test("files that were written this moment are not trusted to stay: nothing is kept of them", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    expect((await (await open({ aheadMs: 0 })).lookUp("one")).entry.name).toBe("one");
    expect(readdirSync(at("cache"))).toEqual(["config.json"]);
  });

  test("an index that was cut off, garbled or made by another ipm is built again", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }, { name: "two" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    const index = at("cache/registries/team", indexes("team")[0] ?? "");
    const whole = readFileSync(index);
    const garbled = Buffer.from(whole);
    // Behind the header: found only when the page is read.
    garbled.fill(0x58, 1024 + 10, 1024 + 300);
    for (const content of [
      whole.subarray(0, 1500),
      whole.subarray(0, 10),
      garbled,
      Buffer.from("x".repeat(whole.length)),
    ]) {
      writeFileSync(index, content);
      const registries = await open();
      expect((await registries.lookUp("one")).entry.name).toBe("one");
      expect((await registries.lookUp("two")).entry.name).toBe("two");
      expect((await registries.search("two")).map((hit) => hit.name)).toEqual(["two"]);
    }
    expect(Buffer.compare(readFileSync(index), whole)).toBe(0);
    rmSync(index);
    mkdirSync(index);
    expect((await (await open()).lookUp("one")).entry.name).toBe("one");
    rmSync(index, { recursive: true });
    await (await open({ build: "another" })).lookUp("one");
    expect(indexes("team")).not.toContain(path.basename(index));
  });

  test("works with a cache that cannot be written to", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    writeFileSync(at("cache"), "not a folder");
    expect((await (await open()).lookUp("one")).entry.name).toBe("one");
  });

  test("a folder that has gone, or now holds another registry, is said", async () => {
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await expect((await open()).lookUp("one")).rejects.toMatchObject({
      code: "REGISTRY_INVALID",
      hint: "ipm registry remove team",
    });
    writeTree(at("team"), registryFiles("other", [{ name: "one" }]));
    await expect((await open()).lookUp("one")).rejects.toThrow(/now calls itself "other"/u);
  });
});

describe("a registry that is a git repository", () => {
  const url = (repository: GitRepository): string => `file://${repository.folder}`;

  test("is fetched by update only, and read from what was fetched", async () => {
    const repository = new GitRepository(at("remote"));
    const first = repository.commit(registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    await expect((await open()).lookUp("one")).rejects.toMatchObject({
      code: "REGISTRY_NOT_UPDATED",
      hint: "ipm update",
    });
    await expect((await open()).lookUpIn("team", "one")).rejects.toMatchObject({ code: "REGISTRY_NOT_UPDATED" });
    expect(await (await open()).search("one")).toEqual([]);

    expect(await updateRegistries(context())).toMatchObject({
      configured: true,
      registries: [
        { id: "team", outcome: "updated", commit: first, previous: null, entries: 1, findings: [], error: null },
      ],
    });
    expect((await (await open()).lookUp("one")).registry).toBe("team");

    const second = repository.commit(registryFiles("team", [{ name: "two" }]));
    const reading = context();
    const registries = await openRegistries(reading);
    closeLater(registries);
    await expect(registries.lookUp("two")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    await registries.search("one");
    expect(reading.calls).toEqual([]);

    expect(await updateRegistries(context())).toMatchObject({
      registries: [{ outcome: "updated", commit: second, previous: first, entries: 2 }],
    });
    expect((await (await open()).lookUp("two")).registry).toBe("team");
    expect(await updateRegistries(context(), ["team"])).toMatchObject({
      registries: [{ outcome: "unchanged", commit: second }],
    });
  });

  test("may have its root in the folder `registry`, and hands out its bundles", async () => {
    const repository = new GitRepository(at("remote"));
    const files = registryFiles("team", [{ name: "one", bundle: "sources/one.bundle" }]);
    repository.commit(
      Object.fromEntries([
        ...Object.entries(files).map(([name, content]) => [`registry/${name}`, content] as const),
        ["registry/sources/one.bundle", "the bundle"],
      ]),
    );
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    await updateRegistries(context());
    const found = await (await open()).lookUp("one");
    const bundle = await found.bundleFile("sources/one.bundle");
    expect(readFileSync(bundle, "utf8")).toBe("the bundle");
    expect(await found.bundleFile("sources/one.bundle")).toBe(bundle);
    await expect(found.bundleFile("sources/other.bundle")).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
    await expect(found.bundleFile("../../x")).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
  });

  test("E102: manifests are read as blobs; links, submodules and misplaced ones are refused, nothing is checked out", async () => {
    const repository = new GitRepository(at("remote"));
    repository.commit({
      ...registryFiles("team", [{ name: "good" }, { name: "bundled", bundle: "sources/x.bundle" }]),
      "packages/linked/manifest.yaml": { link: "/etc/passwd" },
      "packages/linked-folder": { link: "good" },
      "packages/other/manifest.yaml": manifestYaml({ name: "another" }),
      "packages/empty/README.md": "",
      "packages/large/manifest.yaml": `#${"x".repeat(600 * 1024)}`,
      "sources/x.bundle": { link: "/etc/passwd" },
    });
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    const [updated] = (await updateRegistries(context())).registries;
    expect(updated?.findings.map(({ code, file }) => `${code} ${file}`)).toEqual([
      "BUNDLE_MISSING packages/bundled/manifest.yaml",
      "MANIFEST_MISSING packages/empty",
      "FILE_TOO_LARGE packages/large/manifest.yaml",
      "NOT_A_FILE packages/linked-folder",
      "NOT_A_FILE packages/linked/manifest.yaml",
      "NAME_MISMATCH packages/other/manifest.yaml",
    ]);
    expect(updated?.entries).toBe(1);
    const registries = await open();
    expect((await registries.lookUp("good")).entry.name).toBe("good");
    await expect(registries.lookUp("linked")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("E93: an update that fails keeps what was fetched before, and the other registries go on", async () => {
    const repository = new GitRepository(at("remote"));
    repository.commit(registryFiles("team", [{ name: "one" }]));
    const other = new GitRepository(at("other"));
    other.commit(registryFiles("other", [{ name: "two" }]));
    configure(`registries:\n  - { id: team, url: "${url(repository)}" }\n  - { id: other, url: "${url(other)}" }\n`);
    await updateRegistries(context());
    for (const spoilt of [
      { "registry.yaml": null },
      { "registry.yaml": "<html>" },
      { "registry.yaml": registryYaml("evil") },
    ]) {
      repository.commit(spoilt);
      expect(await updateRegistries(context())).toMatchObject({
        registries: [
          { id: "team", outcome: "failed", error: { code: "REGISTRY_INVALID" } },
          { id: "other", outcome: "unchanged", error: null },
        ],
      });
      expect((await (await open()).lookUp("one")).registry).toBe("team");
    }
    rmSync(at("remote"), { recursive: true });
    expect(await updateRegistries(context())).toMatchObject({
      registries: [{ outcome: "failed", error: { code: "FETCH_FAILED" } }, { outcome: "unchanged" }],
    });
    expect((await (await open()).lookUp("one")).registry).toBe("team");
  });

  test("an update reads what has changed alone, and look-ups see it over what was there before", async () => {
    const repository = new GitRepository(at("remote"));
    const many = Array.from({ length: 520 }, (_, at) => ({ name: `tool-${at}` }));
    repository.commit(registryFiles("team", many));
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    await updateRegistries(context());
    const [base] = indexes("team");
    repository.commit({
      ...registryFiles("team", [
        { name: "tool-7", version: "2.0" },
        { name: "fresh", summary: "A zebra" },
      ]),
      "packages/tool-8/manifest.yaml": null,
    });
    const updating = context();
    expect(await updateRegistries(updating)).toMatchObject({ registries: [{ outcome: "updated", entries: 520 }] });
    const read = updating.calls.filter(({ args }) => args[0] === "cat-file" && args[1] === "--batch");
    expect(read.map(({ stdin }) => String(stdin).trim().split("\n").length)).toEqual([1, 2]);
    expect(indexes("team")).toHaveLength(2);
    expect(indexes("team")).toContain(base);
    const registries = await open();
    expect((await registries.lookUp("tool-7")).entry.versions[0]?.version).toBe("2.0");
    expect((await registries.lookUp("tool-9")).entry.versions[0]?.version).toBe("1.0.0");
    await expect(registries.lookUp("tool-8")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    expect((await registries.search("zebra")).map(({ name }) => name)).toEqual(["fresh"]);
    // Without the lowest layer the upper one is of no use: all of it is made again.
    rmSync(at("cache/registries/team", base ?? ""));
    expect((await (await open()).lookUp("tool-9")).registry).toBe("team");
    expect(indexes("team")).toHaveLength(1);
  });

  test("what was fetched from another URL, and a garbled note of it, do not count", async () => {
    const repository = new GitRepository(at("remote"));
    repository.commit(registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    await updateRegistries(context());
    configure(`registries: [{ id: team, url: "${url(repository)}-moved" }]\n`);
    await expect((await open()).lookUp("one")).rejects.toMatchObject({ code: "REGISTRY_NOT_UPDATED" });
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    for (const garbage of ["", "{}", "[]", '{"url":1}', "null"]) {
      writeFileSync(at("cache/registries/team/fetched.json"), garbage);
      await expect((await open()).lookUp("one")).rejects.toMatchObject({ code: "REGISTRY_NOT_UPDATED" });
    }
    await updateRegistries(context());
    expect((await (await open()).lookUp("one")).registry).toBe("team");
  });

  test("an index that has gone or is damaged is built again from the commit, without network", async () => {
    const repository = new GitRepository(at("remote"));
    repository.commit(registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, url: "${url(repository)}" }]\n`);
    await updateRegistries(context());
    const index = at("cache/registries/team", indexes("team")[0] ?? "");
    const whole = readFileSync(index);
    rmSync(at("remote"), { recursive: true });
    for (const damage of [(): void => rmSync(index), (): void => writeFileSync(index, "x")]) {
      damage();
      expect((await (await open()).lookUp("one")).registry).toBe("team");
      expect(Buffer.compare(readFileSync(index), whole)).toBe(0);
    }
  });
});

describe("several registries", () => {
  test("E98: a name in two registries is asked for as REGISTRY:NAME, and found so", async () => {
    const embedded = await embed(["tool", "other"]);
    writeTree(at("team"), registryFiles("team", [{ name: "tool", summary: "The team's own" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    const registries = await open({ embedded });
    await expect(registries.lookUp("tool")).rejects.toMatchObject({
      code: "NAME_AMBIGUOUS",
      exitCode: 2,
      data: { candidates: ["main:tool", "team:tool"] },
    });
    expect((await registries.lookUpIn("team", "tool")).entry.summary).toBe("The team's own");
    expect((await registries.lookUpIn("main", "tool")).entry.summary).toBe("The tool tool");
    expect((await registries.lookUp("other")).registry).toBe("main");
    await expect(registries.lookUpIn("team", "other")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    await expect(registries.lookUpSource("owner/tool")).rejects.toMatchObject({
      data: { candidates: ["main:tool", "team:tool"] },
    });
    expect((await registries.search("tool", 2)).map(({ registry, name }) => `${registry}:${name}`)).toEqual([
      "main:tool",
      "team:tool",
    ]);
  });

  test("E98: an alias counts as a name, so that a public one never takes the place of a private one", async () => {
    const embedded = await embed(["secret-tool"]);
    writeTree(at("team"), registryFiles("team", [{ name: "real", more: "aliases: [secret-tool]\n" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await expect((await open({ embedded })).lookUp("secret-tool")).rejects.toMatchObject({ code: "NAME_AMBIGUOUS" });
  });

  test("E98: a plain name is not taken from one registry while another, which may have it, cannot be asked", async () => {
    const embedded = await embed(["tool"]);
    configure(`registries: [{ id: team, url: "https://git.example.org/team.git" }]\n`);
    const registries = await open({ embedded });
    await expect(registries.lookUp("tool")).rejects.toMatchObject({ code: "REGISTRY_NOT_UPDATED" });
    expect((await registries.lookUpIn("main", "tool")).registry).toBe("main");
    expect((await registries.search("tool", 2)).map((hit) => hit.name)).toEqual(["tool"]);
  });

  test("of the embedded registry and one of the same id the higher sequence is used", async () => {
    const embedded = await embed(["tool"], "sequence: 5\n");
    configure(`registries: [{ id: main, folder: ${at("copy")} }]\n`);
    for (const [sequence, expected] of [
      [4, false],
      [5, false],
      [6, true],
    ] as const) {
      rmSync(at("copy"), { recursive: true, force: true });
      writeTree(
        at("copy"),
        registryFiles("main", [{ name: "tool", summary: "A newer copy" }], `sequence: ${sequence}\n`),
      );
      const found = await (await open({ embedded })).lookUp("tool");
      expect(found.entry.summary === "A newer copy").toBe(expected);
      expect((await listRegistries(context({ embedded }))).map(({ kind, used }) => ({ kind, used }))).toEqual([
        { kind: "embedded", used: !expected },
        { kind: "folder", used: expected },
      ]);
    }
    configure(`registries: [{ id: main, url: "https://git.example.org/main.git" }]\n`);
    expect((await (await open({ embedded })).lookUp("tool")).registry).toBe("main");
  });
});

describe("config.yaml", () => {
  test("none, an empty one and one of comments only mean no registries; update says so", async () => {
    expect(await updateRegistries(context())).toEqual({ configured: false, registries: [] });
    for (const text of ["", "\n\n", "# nothing yet\n"]) {
      configure(text);
      expect(await updateRegistries(context())).toEqual({ configured: false, registries: [] });
    }
  });

  test.each([
    ["registry: []\n", /config\.yaml:1:1: UNKNOWN_KEY/u],
    ["registries:\n  - { id: Team, folder: /x }\n", /config\.yaml:2:11: INVALID_NAME/u],
    ["registries:\n  - { id: team }\n", /config\.yaml:2:5: CONFLICTING_KEYS/u],
    ["registries:\n  - { id: team, folder: /x, url: https://example.org/x.git }\n", /CONFLICTING_KEYS/u],
    ["registries:\n  - { id: team, folder: relative }\n", /config\.yaml:2:25: INVALID_PATH/u],
    ["registries:\n  - { id: team, url: http://example.org/x.git }\n", /config\.yaml:2:22: INVALID_URL/u],
    ["registries:\n  - { id: team, url: ext::sh }\n", /INVALID_URL/u],
    ["registries:\n  - { id: a, folder: /x }\n  - { id: a, folder: /y }\n", /config\.yaml:3:11: DUPLICATE_NAME/u],
    ["registries: &a [*a]\n", /YAML_REFERENCE/u],
    ["registries: [\n", /YAML_SYNTAX/u],
    ["text\n", /WRONG_TYPE/u],
  ])("%j is refused with line and column", async (text, message) => {
    configure(text);
    await expect(openRegistries(context())).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message) as unknown,
    });
    expect(readFileSync(configFile(), "utf8")).toBe(text);
  });

  test("a password in a URL is not repeated in the message's hint", async () => {
    configure('registries: [{ id: team, url: "https://me:secret@example.org/x.git" }]\n');
    await expect(updateRegistries(context())).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.not.stringMatching(/write it as.*secret/u) as unknown,
    });
  });

  test("what was remembered of another text, or is garbled, does not count", async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    await (await open()).lookUp("one");
    configure("# none\n");
    await expect((await open()).lookUp("one")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    configure(`registries: [{ id: team, folder: ${at("team")} }]\n`);
    for (const garbage of ["", "{}", "[]", "null", '{"build":"test","text":"","config":{}}']) {
      writeFileSync(at("cache/config.json"), garbage);
      expect((await (await open()).lookUp("one")).entry.name).toBe("one");
    }
  });
});

describe("adding, listing and removing", () => {
  test("add learns the id from registry.yaml, fetches a git registry, and can be undone", async () => {
    const repository = new GitRepository(at("remote"));
    const commit = repository.commit(registryFiles("team", [{ name: "one" }]));
    writeTree(at("local"), registryFiles("local", [{ name: "two" }]));
    expect(await addRegistry(context(), `file://${repository.folder}`)).toMatchObject({
      id: "team",
      kind: "git",
      entries: 1,
    });
    expect(await addRegistry(context(), "./local")).toMatchObject({
      id: "local",
      kind: "folder",
      location: at("local"),
    });
    const registries = await open();
    expect((await registries.lookUp("one")).registry).toBe("team");
    expect((await registries.lookUp("two")).registry).toBe("local");
    expect(await listRegistries(context())).toMatchObject([
      { id: "team", kind: "git", entries: 1, commit, used: true, problem: null },
      { id: "local", kind: "folder", entries: 1, commit: null, used: true, problem: null },
    ]);
    expect(await removeRegistry(context(), "team")).toMatchObject({ id: "team" });
    await removeRegistry(context(), "local");
    expect(await listRegistries(context())).toEqual([]);
    expect(readdirSync(at("cache/registries"))).toEqual([]);
    await expect(removeRegistry(context(), "team")).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  test("keeps the comments and the order of config.yaml, and the link to it", async () => {
    writeTree(at("local"), registryFiles("local", [{ name: "two" }]));
    const before = `# mine\nregistries:\n  # the first\n  - id: first # why\n    url: https://example.org/first.git\n# the end\n`;
    mkdirSync(at("config"), { recursive: true });
    writeFileSync(at("dotfiles.yaml"), before);
    symlinkSync(at("dotfiles.yaml"), configFile());
    await addRegistry(context(), at("local"));
    const added = readFileSync(at("dotfiles.yaml"), "utf8");
    for (const line of ["# mine", "  # the first", "  - id: first # why", "# the end", `    folder: ${at("local")}`]) {
      expect(added.split("\n")).toContain(line);
    }
    await removeRegistry(context(), "local");
    await removeRegistry(context(), "first");
    expect(readFileSync(at("dotfiles.yaml"), "utf8")).toMatch(/^# mine\nregistries:\s[^]*\[\]/u);
    await addRegistry(context(), at("local"));
    expect((await (await open()).lookUp("two")).registry).toBe("local");
  });

  test("an id that is configured already is refused, and nothing is changed", async () => {
    writeTree(at("local"), registryFiles("local", [{ name: "two" }]));
    writeTree(at("copy"), registryFiles("local", [{ name: "three" }]));
    await addRegistry(context(), at("local"));
    const before = readFileSync(configFile(), "utf8");
    await expect(addRegistry(context(), at("copy"))).rejects.toMatchObject({
      code: "REGISTRY_EXISTS",
      hint: "ipm registry remove local",
    });
    expect(readFileSync(configFile(), "utf8")).toBe(before);
  });

  test("what is no registry, and no address, is refused before anything is written", async () => {
    mkdirSync(at("empty"));
    const repository = new GitRepository(at("remote"));
    repository.commit({ "README.md": "no registry" });
    for (const [typed, code] of [
      ["./empty", "REGISTRY_INVALID"],
      ["./missing", "TARGET_INVALID"],
      ["", "USAGE"],
      [`file://${at("remote")}`, "REGISTRY_INVALID"],
      [`file://${at("nowhere")}`, "FETCH_FAILED"],
      ["http://example.org/x.git", "TARGET_INVALID"],
      ["--upload-pack=x", "TARGET_INVALID"],
      ["ext::sh -c id", "TARGET_INVALID"],
      ["name", "TARGET_INVALID"],
    ] as const) {
      await expect(addRegistry(context(), typed)).rejects.toMatchObject({ code });
    }
    expect(readdirSync(at())).not.toContain("config");
  });

  test("two at once: both are there afterwards", async () => {
    writeTree(at("a"), registryFiles("a", [{ name: "one" }]));
    writeTree(at("b"), registryFiles("b", [{ name: "two" }]));
    const shared = context();
    await Promise.all([addRegistry(shared, at("a")), addRegistry(shared, at("b"))]);
    expect((await listRegistries(shared)).map(({ id }) => id).toSorted()).toEqual(["a", "b"]);
  });

  test("a list names what is wrong with a registry and shows the others", async () => {
    writeTree(at("good"), registryFiles("good", [{ name: "one" }]));
    configure(
      `registries:\n  - { id: good, folder: ${at("good")} }\n  - { id: gone, folder: ${at("gone")} }\n  - { id: new, url: https://example.org/x.git }\n`,
    );
    expect(await listRegistries(context())).toMatchObject([
      { id: "good", entries: 1, used: true, problem: null },
      {
        id: "gone",
        entries: null,
        used: true,
        problem: { code: "REGISTRY_INVALID", hint: "ipm registry remove gone" },
      },
      { id: "new", entries: null, used: true, problem: { code: "REGISTRY_NOT_UPDATED", hint: "ipm update" } },
    ]);
  });
});
