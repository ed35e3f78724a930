import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFiles } from "../../../src/host/files.ts";
import { addRegistry, listRegistries } from "../../../src/registry/configure-registries.ts";
import { openRegistries } from "../../../src/registry/open-registries.ts";
import { type PublishedRegistry, publishRegistry } from "../../../src/registry/publish-registry.ts";
import { type UpdatedRegistry, updateRegistries } from "../../../src/registry/update-registries.ts";
import { attestationFile, formatAttestations } from "../../../src/trust/attestation.ts";
import { manifestYaml, type RegistryContextOptions, registryFiles, writeTree } from "../../helpers/registry-folder.ts";
import { useRegistryHome } from "../../helpers/registry-home.ts";
import { sampleAttestation } from "../../helpers/sample-attestation.ts";
import { type StaticServer, startStaticServer } from "../../helpers/static-server.ts";

const { at, context, open, closeLater } = useRegistryHome();
let server: StaticServer;

beforeEach(async () => {
  mkdirSync(at("public"));
  server = await startStaticServer(at("public"));
});
afterEach(() => server.close());

function configure(more = ""): void {
  mkdirSync(at("config"), { recursive: true });
  writeFileSync(at("config/config.yaml"), `registries: [{ id: team, static: "${server.url}"${more} }]\n`);
}

/** Every file below a folder, with its bytes. */
function everything(of: string): Record<string, string> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => path.join(entry.parentPath, entry.name)).toSorted();
  return Object.fromEntries(paths.map((file) => [path.relative(of, file), readFileSync(file, "latin1")]));
}

const publish = async (sequence?: number): Promise<PublishedRegistry> =>
  publishRegistry(createFiles(), at("team"), at("public"), sequence === undefined ? {} : { sequence });

async function update(options: RegistryContextOptions = {}): Promise<UpdatedRegistry> {
  const [registry] = (await updateRegistries(context(options))).registries;
  if (registry === undefined) throw new Error("no registry is configured");
  return registry;
}

const root = (): Record<string, unknown> => JSON.parse(readFileSync(at("public/ipm-registry.json"), "utf8")) as never;
const setRoot = (value: unknown): void => writeFileSync(at("public/ipm-registry.json"), JSON.stringify(value));

interface Part {
  sha256: string;
  size: number;
  bytes: number;
}
function firstPart(of = root()): {
  root: Record<string, unknown>;
  layer: { bytes: number; parts: Part[] };
  part: Part;
} {
  const indexes = of["indexes"] as { layers: { bytes: number; parts: Part[] }[] }[];
  const layer = indexes[0]?.layers[0];
  const part = layer?.parts[0];
  if (layer === undefined || part === undefined) throw new Error("the root names no part");
  return { root: of, layer, part };
}
const fileOf = (sha256: string): string => at("public/files", sha256.slice(0, 2), sha256);
const requests = (): string[] => server.seen.map(({ path: file }) => file.replace(/[0-9a-f]{64}$/u, "…"));

describe("publishing", () => {
  const files = registryFiles("team", [
    { name: "one", bundle: "sources/one.bundle" },
    { name: "two", more: "aliases: [zwei]\n" },
  ]);

  test("equal registries give equal bytes, in new folders and over themselves", async () => {
    writeTree(at("team"), { ...files, "sources/one.bundle": "bundle" });
    await publish();
    const first = everything(at("public"));
    await publishRegistry(createFiles(), at("team"), at("again"));
    expect(everything(at("again"))).toEqual(first);
    expect(await publish()).toMatchObject({ changed: false, sequence: 1, written: 0 });
    expect(everything(at("public"))).toEqual(first);
    expect(existsSync(at("team/public"))).toBe(false);
  });

  test("every file but the root is named by its content", async () => {
    writeTree(at("team"), { ...files, "sources/one.bundle": "bundle" });
    await publish();
    for (const aa of readdirSync(at("public/files"))) {
      for (const name of readdirSync(at("public/files", aa))) {
        expect(
          createHash("sha256")
            .update(readFileSync(at("public/files", aa, name)))
            .digest("hex"),
        ).toBe(name);
      }
    }
    expect(readdirSync(at("public")).toSorted()).toEqual(["files", "ipm-registry.json"]);
  });

  test("over the publication before it counts on, tells what changed, and keeps what that one names", async () => {
    writeTree(at("team"), { ...files, "sources/one.bundle": "bundle" });
    await publish();
    const before = firstPart().part.sha256;
    writeTree(at("team"), {
      "packages/three/manifest.yaml": manifestYaml({ name: "three" }),
      "packages/two/manifest.yaml": manifestYaml({ name: "two" }),
    });
    rmSync(at("team/packages/one"), { recursive: true });
    expect(await publish()).toMatchObject({
      sequence: 2,
      entries: 2,
      changes: { added: ["three"], changed: ["two"], removed: ["one"] },
    });
    expect(existsSync(fileOf(before))).toBe(true);
    const log = readFileSync(fileOf((root()["changes"] as Part).sha256), "utf8");
    expect(
      log
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { sequence: 1, entries: 2 },
      { sequence: 2, entries: 2, added: ["three"], changed: ["two"], removed: ["one"] },
    ]);
    writeTree(at("team"), { "packages/four/manifest.yaml": manifestYaml({ name: "four" }) });
    await publish();
    expect(existsSync(fileOf(before))).toBe(false);
  });

  describe("with a memory of what the files looked like", () => {
    const read: string[] = [];
    /** Files as they are, and a note of each that is read of the registry. */
    const watched = (): ReturnType<typeof createFiles> => {
      const real = createFiles();
      const note = (file: string): void => {
        if (file.startsWith(at("team"))) read.push(path.relative(at("team"), file));
      };
      return {
        ...real,
        readBytes: async (file) => {
          note(file);
          return real.readBytes(file);
        },
      };
    };
    /** Build with the memory into `public`, and without it into a copy of what was there; both must be the same. */
    const publishBoth = async (aheadMs = 60_000): Promise<PublishedRegistry> => {
      rmSync(at("copy"), { recursive: true, force: true });
      cpSync(at("public"), at("copy"), { recursive: true });
      read.length = 0;
      const memory = { file: at("memory"), now: () => new Date(Date.now() + aheadMs) };
      const built = await publishRegistry(watched(), at("team"), at("public"), { memory });
      await publishRegistry(createFiles(), at("team"), at("copy"));
      expect(everything(at("public"))).toEqual(everything(at("copy")));
      return built;
    };
    const readNames = (): string[] => [...new Set(read)].filter((file) => file !== "registry.yaml").toSorted();

    beforeEach(async () => {
      writeTree(at("team"), { ...files, "sources/one.bundle": "bundle" });
      // Twice: bundles are known from the publication before.
      await publishBoth();
      await publishBoth();
    });

    test("reads only what looks different, and gives the bytes of a build without it", async () => {
      await publishBoth();
      expect(readNames()).toEqual([]);
      writeTree(at("team"), {
        "packages/two/manifest.yaml": manifestYaml({ name: "two" }),
        "packages/three/manifest.yaml": manifestYaml({ name: "three" }),
      });
      expect((await publishBoth()).changes).toEqual({ added: ["three"], changed: ["two"], removed: [] });
      expect(readNames()).toEqual(["packages/three/manifest.yaml", "packages/two/manifest.yaml"]);
      rmSync(at("team/packages/three"), { recursive: true });
      writeTree(at("team"), { "sources/one.bundle": "another" });
      expect((await publishBoth()).changes).toMatchObject({ removed: ["three"] });
      expect(readNames()).toContain("sources/one.bundle");
      expect(readNames()).not.toContain("packages/two/manifest.yaml");
    });

    test("a change that keeps size and modification time is seen", async () => {
      const file = at("team/packages/two/manifest.yaml");
      const write = (version: string): void => {
        writeFileSync(file, manifestYaml({ name: "two", version }));
        utimesSync(file, 1, 1);
      };
      write("1.0.1");
      await publishBoth();
      const { ctimeMs } = statSync(file);
      do write("1.0.2");
      while (statSync(file).ctimeMs <= ctimeMs);
      expect((await publishBoth()).changes).toMatchObject({ changed: ["two"] });
    });

    test("files that were written this moment are read again", async () => {
      writeTree(at("team"), { "packages/two/manifest.yaml": manifestYaml({ name: "two", version: "1.0.1" }) });
      await publishBoth(0);
      await publishBoth(0);
      expect(readNames()).toContain("packages/two/manifest.yaml");
    });

    test("what the folder lost is put back", async () => {
      const contents = JSON.parse(readFileSync(at("public/ipm-registry.json"), "utf8")) as { contents: Part };
      const listing = gunzipSync(readFileSync(fileOf(contents.contents.sha256))).toString("utf8");
      for (const of of ["packages/two/manifest.yaml", "sources/one.bundle"]) {
        const sha256 = new RegExp(`^([0-9a-f]{64})\\t\\d+\\t${of}$`, "mu").exec(listing)?.[1] ?? "";
        rmSync(fileOf(sha256));
        await publishBoth();
        expect(existsSync(fileOf(sha256))).toBe(true);
      }
    });

    test.each([
      ["is cut off", (text: string) => text.slice(0, text.length / 2)],
      ["lost a line", (text: string) => text.replace(/^packages\/two.*\n/mu, "")],
      ["is of another format", (text: string) => text.replace(/^.*\n/u, "ipm-build-memory 0\n")],
      ["is of another publication", (text: string) => text.replace(/^[0-9a-f]{64}$/mu, "0".repeat(64))],
      ["is empty", () => ""],
    ])("one that %s counts as none", async (_, spoil) => {
      writeFileSync(at("memory"), spoil(readFileSync(at("memory"), "utf8")));
      await publishBoth();
      expect(readNames()).toEqual(["packages/one/manifest.yaml", "packages/two/manifest.yaml", "sources/one.bundle"]);
    });

    test("one of another folder counts as none, and one that cannot be written is no reason to fail", async () => {
      cpSync(at("team"), at("moved"), { recursive: true });
      rmSync(at("team"), { recursive: true });
      cpSync(at("moved"), at("team"), { recursive: true });
      rmSync(at("memory"));
      mkdirSync(at("memory"));
      expect(await publishBoth()).toMatchObject({ changed: false });
    });
  });

  test("a folder that lost a file is made anew, under a higher number", async () => {
    writeTree(at("team"), { ...files, "sources/one.bundle": "bundle" });
    await publish();
    rmSync(fileOf(firstPart().part.sha256));
    expect(await publish()).toMatchObject({ changed: true, sequence: 2 });
    configure();
    expect(await update()).toMatchObject({ outcome: "updated", sequence: 2 });
  });

  test("an entry with an error, another registry's folder, and anybody's folder are refused; nothing is sent out", async () => {
    writeTree(at("team"), { ...files, "sources/one.bundle": "bundle" });
    await publish();
    const before = readFileSync(at("public/ipm-registry.json"), "utf8");
    writeTree(at("team"), { "packages/bad/manifest.yaml": "name: bad\n" });
    await expect(publish()).rejects.toMatchObject({ code: "REGISTRY_INVALID", exitCode: 3 });
    writeTree(at("other"), registryFiles("other", [{ name: "x" }]));
    await expect(publishRegistry(createFiles(), at("other"), at("public"))).rejects.toMatchObject({
      code: "REGISTRY_INVALID",
      message: expect.stringContaining("holds the registry team") as unknown,
    });
    expect(readFileSync(at("public/ipm-registry.json"), "utf8")).toBe(before);
    writeTree(at("mine"), { "thesis.txt": "precious" });
    await expect(publishRegistry(createFiles(), at("other"), at("mine"))).rejects.toMatchObject({
      code: "FOREIGN_FILE",
    });
    rmSync(at("team/packages/bad"), { recursive: true });
    await expect(publish(1)).resolves.toMatchObject({ changed: false });
    writeTree(at("team"), { "packages/new/manifest.yaml": manifestYaml({ name: "new" }) });
    await expect(publish(1)).rejects.toMatchObject({ code: "USAGE" });
    await expect(publish(41)).resolves.toMatchObject({ sequence: 41 });
  });
});

describe("a static registry", () => {
  beforeEach(async () => {
    const place = { name: "one", version: "1.0.0", platform: "linux-x64-glibc" };
    writeTree(at("team"), {
      ...registryFiles("team", [
        { name: "one", summary: "Show zebras", bundle: "sources/one.bundle" },
        { name: "two", more: "aliases: [zwei]\nformerly: [old/home]\n" },
      ]),
      "sources/one.bundle": "the bundle",
      [`packages/one/attestations/${attestationFile(place.version, place.platform)}`]: formatAttestations([
        sampleAttestation(place),
      ]),
    });
    await publish();
  });

  test("is fetched by update in two requests, and looked up without network afterwards", async () => {
    configure();
    await expect((await open()).lookUp("one")).rejects.toMatchObject({
      code: "REGISTRY_NOT_UPDATED",
      hint: "ipm update",
    });
    expect(await update()).toMatchObject({ outcome: "updated", entries: 2, sequence: 1, previousSequence: null });
    expect(requests()).toEqual(["/ipm-registry.json", `/files/${firstPart().part.sha256.slice(0, 2)}/…`]);
    await server.close();
    const registries = await open();
    const found = await registries.lookUp("one");
    expect(found).toMatchObject({ registry: "team", embedded: false, manifestFile: "packages/one/manifest.yaml" });
    expect(found.entry.summary).toBe("Show zebras");
    expect(found.attestations).toHaveLength(1);
    expect((await registries.lookUp("zwei")).how).toBe("alias");
    expect((await registries.lookUpSource("old/home"))?.entry.name).toBe("two");
    expect((await registries.search("zebrsa")).map(({ name }) => name)).toEqual(["one"]);
    await expect(registries.lookUp("tow")).rejects.toMatchObject({ data: { nearest: ["two"] } });
    expect(await listRegistries(context())).toMatchObject([
      { id: "team", kind: "static", location: server.url, entries: 2, sequence: 1, used: true, problem: null },
    ]);
  });

  test("`nothing new` is one request, by ETag, and without one too", async () => {
    configure();
    await update();
    server.seen.length = 0;
    expect(await update()).toMatchObject({ outcome: "unchanged", sequence: 1 });
    expect(server.seen).toMatchObject([{ path: "/ipm-registry.json", status: 304 }]);
    server.seen.length = 0;
    server.misbehave = (request) => {
      delete request.headers["if-none-match"];
      return false;
    };
    expect(await update()).toMatchObject({ outcome: "unchanged" });
    expect(requests()).toEqual(["/ipm-registry.json"]);
  });

  test("hands out the files that entries need by their content, fetched once; offline it says what is missing", async () => {
    configure();
    await update();
    const offline = { ...context(), offline: true };
    const without = await openRegistries(offline);
    closeLater(without);
    const found = await without.lookUp("one");
    await expect(found.bundleFile("sources/one.bundle")).rejects.toMatchObject({
      code: "OFFLINE",
      hint: "run the command once without --offline",
    });
    const online = await (await open()).lookUp("one");
    server.seen.length = 0;
    const file = await online.bundleFile("sources/one.bundle");
    expect(readFileSync(file, "utf8")).toBe("the bundle");
    expect(server.seen).toHaveLength(1);
    expect(await found.bundleFile("sources/one.bundle")).toBe(file);
    expect(server.seen).toHaveLength(1);
    writeFileSync(file, "tampered!!");
    expect(readFileSync(await online.bundleFile("sources/one.bundle"), "utf8")).toBe("the bundle");
    await expect(online.bundleFile("sources/none.bundle")).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
    await expect(online.bundleFile("../../x")).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
  });

  test("an update fetches the layers that are new, and nothing that is here", async () => {
    const many = Array.from({ length: 520 }, (_, number) => ({ name: `tool-${number}` }));
    writeTree(at("team"), registryFiles("team", many));
    await publish();
    configure();
    await update();
    writeTree(at("team"), { "packages/tool-7/manifest.yaml": manifestYaml({ name: "tool-7", version: "2.0" }) });
    rmSync(at("team/packages/tool-8"), { recursive: true });
    const published = await publish();
    expect(published.update).toBeLessThan(published.firstCopy / 5);
    server.seen.length = 0;
    expect(await update()).toMatchObject({ outcome: "updated", sequence: 3, previousSequence: 2, entries: 521 });
    expect(requests()).toHaveLength(2);
    const registries = await open();
    expect((await registries.lookUp("tool-7")).entry.versions[0]?.version).toBe("2.0");
    expect((await registries.lookUp("tool-9")).entry.versions[0]?.version).toBe("1.0.0");
    await expect(registries.lookUp("tool-8")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
  });

  test("add asks the address whether it is one, keeps its mirrors, and learns its id", async () => {
    const added = await addRegistry(context(), `${server.url}/`, [`${server.url}/mirror/`]);
    expect(added).toMatchObject({ id: "team", kind: "static", location: server.url, entries: 2 });
    expect(readFileSync(at("config/config.yaml"), "utf8")).toContain(`    static: ${server.url}\n    mirrors:\n`);
    expect((await (await open()).lookUp("one")).registry).toBe("team");
    await expect(addRegistry(context(), server.url)).rejects.toMatchObject({ code: "REGISTRY_EXISTS" });
    for (const typed of ["http://registry.example.org/x", "https://me:secret@127.0.0.1/x"])
      await expect(addRegistry(context(), typed)).rejects.toMatchObject({ code: "TARGET_INVALID" });
    const offline = { ...context(), offline: true };
    await expect(addRegistry(offline, server.url)).rejects.toMatchObject({ code: "OFFLINE" });
  });
});

describe("what a server can do wrong", () => {
  /** The cache as look-ups see it before and after. */
  async function kept(): Promise<void> {
    expect((await (await open()).lookUp("one")).entry.summary).toBe("The tool one");
    expect(readdirSync(at("cache/registries/team")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }

  beforeEach(async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    await publish(5);
    configure();
    await update();
    writeTree(at("team"), registryFiles("team", [{ name: "one", summary: "New" }, { name: "two" }]));
    await publish(6);
  });

  const cases: [string, () => void, { code: string; message?: RegExp; hint?: RegExp; idleMs?: number }][] = [
    [
      "E89: an older publication is refused with both numbers",
      () => setRoot({ ...root(), sequence: 4 }),
      {
        code: "REGISTRY_ROLLED_BACK",
        message: /publication 4, and 5 is here already/u,
        hint: /ipm registry remove team/u,
      },
    ],
    [
      "E89: another publication under the same number is refused",
      () => setRoot({ ...root(), sequence: 5 }),
      { code: "REGISTRY_ROLLED_BACK", message: /under the number 5/u },
    ],
    [
      "E95: the root of another registry is refused",
      () => setRoot({ ...root(), id: "other" }),
      { code: "REGISTRY_INVALID", message: /now calls itself "other"/u },
    ],
    [
      "E93: a login page of the network",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>");
          return true;
        }),
      { code: "REGISTRY_NOT_DATA", message: /web page/u, hint: /browser/u },
    ],
    [
      "E93: a login page that says it is something else",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(200, { "content-type": "application/json" }).end("<!doctype html><p>log in");
          return true;
        }),
      { code: "REGISTRY_NOT_DATA", message: /web page/u },
    ],
    [
      "E93: a redirect to another server",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(302, { location: "https://login.example.org/" }).end();
          return true;
        }),
      { code: "REGISTRY_REDIRECTED", message: /https:\/\/login\.example\.org/u, hint: /moved/u },
    ],
    [
      "E93: a redirect to another transport of the same server",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(301, { location: "ftp://127.0.0.1/" }).end();
          return true;
        }),
      { code: "REGISTRY_REDIRECTED" },
    ],
    [
      "redirects that go round",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(302, { location: "/ipm-registry.json" }).end();
          return true;
        }),
      { code: "FETCH_FAILED", message: /too many redirects/u },
    ],
    [
      "a server that says nothing",
      () => (server.misbehave = () => true),
      { code: "REGISTRY_STALLED", idleMs: 100, hint: /again later/u },
    ],
    [
      "a server that stops in the middle",
      () =>
        (server.misbehave = (_, response, file) => {
          if (!file.startsWith("/files/")) return false;
          response.writeHead(200, { "content-length": String(firstPart().part.size) }).write("x");
          return true;
        }),
      { code: "REGISTRY_STALLED", idleMs: 100 },
    ],
    [
      "a root that never ends",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(200);
          const more = (): void => void (response.destroyed || response.write("x".repeat(65_536), more));
          more();
          return true;
        }),
      { code: "REGISTRY_TOO_LARGE", message: /262144/u },
    ],
    [
      "a part that never ends",
      () =>
        (server.misbehave = (_, response, file) => {
          if (!file.startsWith("/files/")) return false;
          response.writeHead(200);
          const more = (): void => void (response.destroyed || response.write("x".repeat(65_536), more));
          more();
          return true;
        }),
      { code: "REGISTRY_TOO_LARGE" },
    ],
    [
      "a root that says it is larger than any",
      () =>
        (server.misbehave = (_, response) => {
          response.writeHead(200, { "content-length": "99999999999" }).flushHeaders();
          return true;
        }),
      { code: "REGISTRY_TOO_LARGE", message: /99999999999/u },
    ],
    [
      "a root that is cut off",
      () => truncateSync(at("public/ipm-registry.json"), 200),
      { code: "REGISTRY_NOT_DATA", message: /cut off or garbled/u },
    ],
    [
      "a connection that ends too early",
      () =>
        (server.misbehave = (_, response, file) => {
          if (!file.startsWith("/files/")) return false;
          response.writeHead(200, { "content-length": String(firstPart().part.size) });
          response.write("x", () => response.destroy());
          return true;
        }),
      { code: "REGISTRY_CUT_OFF", message: /after 1 of/u, hint: /goes on where it stopped/u },
    ],
    [
      "a part with other bytes",
      () => writeFileSync(fileOf(firstPart().part.sha256), "x".repeat(firstPart().part.size)),
      { code: "REGISTRY_MISMATCH", message: /has the sha256/u, hint: /ipm update team/u },
    ],
    [
      "a part that is shorter than the root says",
      () => writeFileSync(fileOf(firstPart().part.sha256), "x"),
      { code: "REGISTRY_MISMATCH", message: /has 1 bytes/u },
    ],
    [
      "a part that becomes more than the root says (a decompression bomb)",
      () => {
        const { root: all, layer, part } = firstPart();
        const bomb = gzipSync(Buffer.alloc(1024 * 1024));
        part.sha256 = createHash("sha256").update(bomb).digest("hex");
        part.size = bomb.length;
        part.bytes = 1000;
        layer.bytes = 1000;
        mkdirSync(path.dirname(fileOf(part.sha256)), { recursive: true });
        writeFileSync(fileOf(part.sha256), bomb);
        setRoot(all);
      },
      { code: "REGISTRY_MISMATCH", message: /cannot be decompressed/u },
    ],
    [
      "a part that has gone",
      () => rmSync(fileOf(firstPart().part.sha256)),
      { code: "FETCH_FAILED", message: /answered 404/u },
    ],
    [
      "an index in a format of a later ipm",
      () => setRoot({ ...root(), indexes: [{ format: 99, layers: [] }] }),
      { code: "REGISTRY_FORMAT_UNKNOWN", hint: /newer ipm/u },
    ],
    [
      "a root in a format of a later ipm",
      () => setRoot({ ...root(), format: "ipm-registry/v9" }),
      { code: "REGISTRY_FORMAT_UNKNOWN" },
    ],
    ["a root that is another JSON", () => setRoot({ hello: 1 }), { code: "REGISTRY_NOT_DATA" }],
    [
      "sizes that no registry has",
      () => {
        const { root: all, part } = firstPart();
        part.size = 2 ** 50;
        setRoot(all);
      },
      { code: "REGISTRY_NOT_DATA", message: /sizes cannot be right/u },
    ],
    ["a server that is gone", () => void server.close(), { code: "FETCH_FAILED" }],
  ];

  test.each(cases)("%s", async (_, break_, { code, message = /./u, hint = /./u, idleMs }) => {
    break_();
    const { outcome, error } = await update(idleMs === undefined ? {} : { idleMs });
    expect(outcome).toBe("failed");
    expect(error).toMatchObject({ code });
    expect(error?.message).toMatch(message);
    expect(error?.hint).toMatch(hint);
    await kept();
  });

  test("what was refused is taken as soon as it is right again", async () => {
    writeFileSync(fileOf(firstPart().part.sha256), "x");
    expect((await update()).outcome).toBe("failed");
    rmSync(at("public"), { recursive: true });
    mkdirSync(at("public"));
    await publish(7);
    expect(await update()).toMatchObject({ outcome: "updated", sequence: 7, entries: 2 });
    expect((await (await open()).lookUp("one")).entry.summary).toBe("New");
    expect(readdirSync(at("cache/registries/team")).toSorted()).toEqual([
      expect.stringMatching(/\.index$/u) as unknown,
      "checked",
      "published.json",
    ]);
  });

  test("a download that was cut off goes on where it stopped", async () => {
    const { size, sha256 } = firstPart().part;
    server.misbehave = (_, response, file) => {
      if (!file.startsWith("/files/")) return false;
      response.writeHead(200, { "content-length": String(size) });
      response.write(readFileSync(fileOf(sha256)).subarray(0, 500), () => response.destroy());
      return true;
    };
    expect((await update()).error?.code).toBe("REGISTRY_CUT_OFF");
    server.misbehave = undefined;
    server.seen.length = 0;
    expect((await update()).outcome).toBe("updated");
    expect(server.seen.at(-1)).toMatchObject({ range: "bytes=500-", status: 206 });
  });

  test("a beginning that was damaged here, and a server that knows no ranges, cost one request more", async () => {
    const { sha256 } = firstPart().part;
    const parts = at("cache/registries/team/parts");
    mkdirSync(parts, { recursive: true });
    writeFileSync(path.join(parts, `${sha256}.partial`), "damaged here");
    server.seen.length = 0;
    expect((await update()).outcome).toBe("updated");
    expect(server.seen.map(({ status }) => status)).toEqual([200, 206, 200]);
    await publish(9).catch(() => undefined);
    writeTree(at("team"), registryFiles("team", [{ name: "three" }]));
    await publish(10);
    const next = firstPart().part.sha256;
    mkdirSync(parts, { recursive: true });
    writeFileSync(path.join(parts, `${next}.partial`), readFileSync(fileOf(next)).subarray(0, 100));
    server.misbehave = (request) => {
      delete request.headers.range;
      return false;
    };
    expect((await update()).outcome).toBe("updated");
  });

  test("a mirror steps in for a server that fails, and a stale mirror for nothing", async () => {
    cpSync(at("public"), at("copy"), { recursive: true });
    const mirror = await startStaticServer(at("copy"));
    try {
      configure(`, mirrors: ["${mirror.url}"]`);
      server.misbehave = (_, response) => {
        response.writeHead(503).end();
        return true;
      };
      expect(await update()).toMatchObject({ outcome: "updated", sequence: 6 });
      expect((await (await open()).lookUp("one")).entry.summary).toBe("New");
      server.misbehave = undefined;
      writeTree(at("team"), registryFiles("team", [{ name: "four" }]));
      await publish(7);
      await update();
      await server.close();
      expect((await update()).error).toMatchObject({
        code: "FETCH_FAILED",
        message: expect.stringMatching(/publication 6, and 7 is here already/u) as unknown,
        data: { places: [{ code: "FETCH_FAILED" }, { code: "REGISTRY_ROLLED_BACK" }] },
      });
      expect((await (await open()).lookUp("four")).entry.name).toBe("four");
    } finally {
      await mirror.close();
    }
  });

  test("one that was ended in the middle leaves what was there in use", async () => {
    const ended = new AbortController();
    server.misbehave = (_, response, file) => {
      if (!file.startsWith("/files/")) return false;
      response.writeHead(200, { "content-length": String(firstPart().part.size) });
      response.write("x", () => ended.abort());
      return true;
    };
    await expect(update({ signal: ended.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
    await kept();
  });
});

describe("what the cache can become", () => {
  beforeEach(async () => {
    writeTree(at("team"), registryFiles("team", [{ name: "one" }]));
    await publish();
    configure();
    await update();
  });
  const index = (): string => {
    const name = readdirSync(at("cache/registries/team")).find((file) => file.endsWith(".index"));
    return at("cache/registries/team", name ?? "");
  };

  test.each([
    ["cut off", (file: string) => truncateSync(file, 1500)],
    ["empty", (file: string) => truncateSync(file, 0)],
    ["garbled behind its header", (file: string) => writeFileSync(file, readFileSync(file).fill(0x58, 1034, 1300))],
    [
      "of another format",
      (file: string) =>
        writeFileSync(
          file,
          Buffer.from(readFileSync(file).toString("latin1").replace('"format":2', '"format":7'), "latin1"),
        ),
    ],
    ["something else", (file: string) => writeFileSync(file, "x".repeat(5000))],
    ["gone", (file: string) => rmSync(file)],
  ])("an index that is %s is said, and fetched again by the next update", async (_, damage) => {
    damage(index());
    await expect(open().then(async (registries) => registries.lookUp("one"))).rejects.toMatchObject({
      code: "REGISTRY_DAMAGED",
      hint: "ipm update team",
    });
    expect(await listRegistries(context())).toMatchObject([{ problem: { code: "REGISTRY_DAMAGED" } }]);
    // The number is not forgotten with it.
    const now = root();
    setRoot({ ...now, sequence: 0 });
    expect((await update()).error?.code).toBe("REGISTRY_ROLLED_BACK");
    setRoot(now);
    writeFileSync(at("public/ipm-registry.json"), `${JSON.stringify(now, null, 1)}\n`);
    expect((await update()).outcome).toBe("updated");
    expect((await (await open()).lookUp("one")).entry.name).toBe("one");
  });

  test("a note of what was fetched that is garbled counts as none", async () => {
    for (const garbage of ["", "{}", "[]", "null", '{"url":1}']) {
      writeFileSync(at("cache/registries/team/published.json"), garbage);
      await expect((await open()).lookUp("one")).rejects.toMatchObject({ code: "REGISTRY_NOT_UPDATED" });
    }
    expect((await update()).outcome).toBe("updated");
  });

  test("a record that was checked before is taken as it was then, by the same ipm, until an update", async () => {
    const first = await (await open()).lookUp("one");
    const file = at("cache/registries/team/checked/one.json");
    const note = JSON.parse(readFileSync(file, "utf8")) as { checked: { manifest: { summary: string } } };
    note.checked.manifest.summary = "As it was checked";
    writeFileSync(file, JSON.stringify(note));
    expect((await (await open()).lookUp("one")).entry.summary).toBe("As it was checked");
    expect((await (await open({ build: "another" })).lookUp("one")).entry).toEqual(first.entry);
    writeTree(at("team"), { "packages/one/manifest.yaml": manifestYaml({ name: "one", summary: "Another one" }) });
    await publish();
    await update();
    expect(existsSync(file)).toBe(false);
    expect((await (await open()).lookUp("one")).entry.summary).toBe("Another one");
    // It cannot be written where a file is in the folder's place.
    rmSync(path.dirname(file), { recursive: true });
    writeFileSync(path.dirname(file), "x");
    expect((await (await open()).lookUp("one")).entry.summary).toBe("Another one");
  });

  test("an index that another program wrote goes no further than its own entries: a manifest passes the same checks", async () => {
    const { encodeIndexFile } = await import("../../../src/registry/index-file.ts");
    const { encodeNameTable } = await import("../../../src/registry/name-table.ts");
    const { buildSearchSections } = await import("../../../src/registry/search-index.ts");
    const good = (await (await open()).lookUp("one")).entry;
    const records = [
      { version: "1", manifest: { ...good, bin: { one: "../../../../etc/passwd" } } },
      { version: "1", manifest: good },
      { version: "1", manifest: { ...good, name: "../../escape" } },
      { version: "\u001b[31m1", manifest: { name: "x\u001b[31m", summary: "\u001b]0;owned\u0007" } },
      { removed: "\u001b[31mgone" },
      { file: 7, broken: "x" },
      { file: "packages/b/manifest.yaml", broken: [{ code: 1 }] },
    ].map((record) => Buffer.from(`${JSON.stringify(record)}\n`));
    let end = 0;
    const ends = Uint32Array.from(records, (line) => (end += line.length));
    const { slots, lines } = encodeNameTable([
      { kind: "name", key: "one", record: 0 },
      { kind: "name", key: "git", record: 1 },
      { kind: "removed", key: "gone", record: 4 },
      { kind: "name", key: "foreign", record: 5 },
      { kind: "broken", key: "b", record: 6 },
      { kind: "name", key: "../../escape", record: 2 },
      { kind: "name", key: "far", record: 4_000_000 },
    ]);
    const search = buildSearchSections([
      { name: "one", aliases: [], keywords: [], summary: "" },
      { name: "git", aliases: [], keywords: [], summary: "" },
      { name: "escape", aliases: [], keywords: [], summary: "" },
      { name: "zebra", aliases: [], keywords: [], summary: "" },
    ]);
    const bytes = encodeIndexFile(
      { id: "team", name: "x", sequence: 1, key: "", entries: 3 },
      new Map([
        ["records", Buffer.concat(records)],
        ["record-ends", new Uint8Array(ends.buffer)],
        ["name-slots", slots],
        ["name-lines", lines],
        ...search,
      ]),
    );
    writeFileSync(index(), bytes);
    const registries = await open();
    await expect(registries.lookUp("one")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    await expect(registries.lookUp("git")).rejects.toThrow(/leads to the manifest of `one`/u);
    // What passed the checks before is the good one alone, and only under its name.
    expect(readdirSync(at("cache/registries/team/checked"))).toEqual(["one.json"]);
    await expect(registries.lookUp("git")).rejects.toThrow(/leads to the manifest of `one`/u);
    await expect(registries.lookUp("one")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    await expect(registries.lookUp("../../escape")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    await expect(registries.lookUp("b")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    await expect(registries.lookUp("gone")).rejects.toThrow(/\\x1b\[31mgone/u);
    expect(JSON.stringify(await registries.search("zebra"))).not.toContain("\u001b");
    expect((await registries.search("zebra")).map(({ name }) => name)).toEqual(["x\\x1b[31m"]);
    await expect(registries.lookUp("far")).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
  });
});
