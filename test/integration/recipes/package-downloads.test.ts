import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Download } from "../../../src/core/host.ts";
import { createDownload } from "../../../src/host/download.ts";
import { install } from "../../../src/usecases/install.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { lacks } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

/** What a Maven repository hands out: path to content. */
const served = new Map<string, Uint8Array>();
let asked: string[] = [];
let server: Server;
let port = 0;

const CENTRAL = "https://repo.maven.apache.org/maven2/";
const MAIN = "org/example/ripcat/2.1.0/ripcat-2.1.0.jar";
const LIBRARY = "org/example/colour/0.2.0/colour-0.2.0.jar";

function hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    asked.push(name);
    const content = served.get(name);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});

afterAll(() => server.close());

beforeEach(() => {
  asked = [];
  served.clear();
  served.set(`central/${MAIN}`, Buffer.from("the main jar"));
  served.set(`central/${LIBRARY}`, Buffer.from("a library"));
});

/** The public repository and a mirror of it, both at the server of this test. */
const download: Download = (request) =>
  createDownload({ env: {}, allowLoopbackHttp: true })({
    ...request,
    url: request.url
      .replace(CENTRAL, `http://127.0.0.1:${port}/central/`)
      .replace("https://mirror.example.org/", `http://127.0.0.1:${port}/mirror/`),
  });

/** A `java` that tells its class path. */
const JAVA =
  '#!/bin/sh\ncase $1 in -version|--version) echo \'openjdk version "17.0.1"\' >&2; exit ;; esac\necho "$@"\n';

/** ipm with an entry for two jars. @param settings Maven's settings.xml of this machine */
async function prepared(settings = ""): Promise<TestIpm> {
  const folder = temporaryFolder();
  const tools = path.join(folder, "tools/bin");
  const entry = path.join(folder, "registry/packages/ripcat");
  const lock = path.join(entry, "locks/2.1.0.maven");
  for (const one of [tools, lock, path.join(folder, "run/home/.m2")]) mkdirSync(one, { recursive: true });
  writeFileSync(path.join(tools, "java"), JAVA, { mode: 0o755 });
  writeFileSync(path.join(folder, "run/home/.m2/settings.xml"), settings);
  const main = hex(Buffer.from("the main jar"));
  writeFileSync(
    path.join(lock, "jars.lock"),
    `main org.example.Main\n${main} org.example:ripcat:2.1.0\n${hex(Buffer.from("a library"))} org.example:colour:0.2.0\n`,
  );
  const integrity = `sha256-${Buffer.from(main, "hex").toString("base64")}`;
  writeFileSync(path.join(folder, "registry/registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
  writeFileSync(
    path.join(entry, "manifest.yaml"),
    `schema: ipm/v1
name: ripcat
summary: Cats archives
license: MIT
homepage: https://example.org/ripcat
source: { package: "maven:org.example:ripcat" }
versions:
  - { version: 2.1.0, integrity: ${integrity}, lock: locks/2.1.0.maven }
steps: [uses: maven]
bin: [rc]
tests: [{ run: rc, expect: { stdout: "org.example.Main" } }]
`,
  );
  return createTestIpm(path.join(folder, "run"), path.join(folder, "registry"), {
    download,
    env: { PATH: `${tools}:${process.env["PATH"] ?? ""}` },
  });
}

describe.skipIf(lacks("cp"))("the jars of a Maven package", () => {
  test("are fetched and checked by ipm, and started in the lock's order; a second time they are in the cache", async () => {
    const ipm = await prepared();
    await install(ipm.context, ["ripcat"], OPTIONS);
    const { stdout } = spawnSync(path.join(ipm.layout.current, "bin/rc"), ["x"], { env: {}, encoding: "utf8" });
    expect(stdout).toMatch(
      /^-cp \S+\/lib\/java\/ripcat-2\.1\.0\.jar:\S+\/lib\/java\/colour-0\.2\.0\.jar org\.example\.Main x\n$/u,
    );
    expect(asked.toSorted()).toEqual([`central/${LIBRARY}`, `central/${MAIN}`]);
    await uninstall(ipm.context, ["ripcat"], { purge: true });
    served.clear();
    await install(ipm.context, ["ripcat"], { ...OPTIONS, offline: true });
    expect(asked).toHaveLength(2);
  });

  test("come from the machine's mirror of Maven Central", async () => {
    for (const name of [MAIN, LIBRARY])
      served.set(`mirror/m2/${name}`, served.get(`central/${name}`) ?? new Uint8Array());
    const ipm = await prepared(
      "<settings><mirrors><mirror><id>own</id><mirrorOf>central</mirrorOf><url>https://mirror.example.org/m2</url></mirror></mirrors></settings>",
    );
    await install(ipm.context, ["ripcat"], OPTIONS);
    expect(asked.toSorted()).toEqual([`mirror/m2/${LIBRARY}`, `mirror/m2/${MAIN}`]);
  });

  test.each([
    [
      "with other bytes",
      () => served.set(`central/${LIBRARY}`, Buffer.from("worse")),
      "PACKAGE_MISMATCH",
      "is not the file of the lock",
    ],
    ["that are gone", () => served.delete(`central/${LIBRARY}`), "PACKAGE_NOT_FOUND", "does not have colour-0.2.0.jar"],
  ])("%s are refused by name, and nothing is installed", async (_, change, code, message) => {
    change();
    const ipm = await prepared();
    await expect(install(ipm.context, ["ripcat"], OPTIONS)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(await ipm.context.host.files.list(path.join(ipm.layout.store, "ripcat"))).toEqual([]);
  });

  test("from a mirror that is plain http, or that does not answer: the registry is not reached", async () => {
    const ipm = await prepared(
      "<settings><mirrors><mirror><id>own</id><mirrorOf>*</mirrorOf><url>http://mirror.example.org/m2</url></mirror></mirrors></settings>",
    );
    await expect(install(ipm.context, ["ripcat"], OPTIONS)).rejects.toMatchObject({
      code: "PACKAGE_UNREACHABLE",
      hint: expect.stringContaining("the mirror that this machine has for maven"),
    });
  });

  test("that were never fetched are not there under --offline", async () => {
    const ipm = await prepared();
    await expect(install(ipm.context, ["ripcat"], { ...OPTIONS, offline: true })).rejects.toMatchObject({
      code: "OFFLINE",
    });
    expect(asked).toEqual([]);
  });
});
