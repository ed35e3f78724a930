import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Requirement } from "../../../src/manifest/manifest.ts";
import { describeRequirement } from "../../../src/plan/requirements.ts";
import { doctor } from "../../../src/usecases/doctor.ts";
import { install } from "../../../src/usecases/install.ts";
import { findHardware } from "../../../src/usecases/probe-machine.ts";
import { probeRequirements } from "../../../src/usecases/probe-requirements.ts";
import { lacks } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const EMBEDDED = path.resolve(import.meta.dirname, "../../../registry");
const COMMON = { version: null, for: "build", optional: false, why: null } as const;

/** A package manager that installs by writing a file, and tells what it was called with. */
const APT = `#!/bin/sh
echo "$@" >> "\${0%/*}/calls"
[ "$1" = update ] && exit 0
shift 2
for name; do
  [ "$name" = broken ] && exit 100
  printf '#!/bin/sh\\necho "%s 3.1"\\n' "$name" > "\${0%/*}/$name"
  chmod +x "\${0%/*}/$name"
done
`;

let bin = "";
let folder = "";

function calls(): string[] {
  try {
    return readFileSync(path.join(bin, "calls"), "utf8").trim().split("\n");
  } catch {
    return [];
  }
}

async function ipmWith(requires: string, options: Parameters<typeof createTestIpm>[2] = {}): Promise<TestIpm> {
  const manifest = readFileSync(path.join(EMBEDDED, "packages/lstm-demo/manifest.yaml"), "utf8");
  const registry = path.join(folder, "registry");
  mkdirSync(path.join(registry, "packages/lstm-demo"), { recursive: true });
  mkdirSync(path.join(registry, "sources"), { recursive: true });
  writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
  writeFileSync(
    path.join(registry, "sources/lstm-demo.bundle"),
    readFileSync(path.join(EMBEDDED, "sources/lstm-demo.bundle")),
  );
  writeFileSync(
    path.join(registry, "packages/lstm-demo/manifest.yaml"),
    manifest.replace("methods:", `requires: ${requires}\nmethods:`).replace(/^tests:[\s\S]*?(?=^notes)/mu, ""),
  );
  return createTestIpm(path.join(folder, "run"), registry, {
    ...options,
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, ...options.env },
  });
}

beforeEach(() => {
  folder = temporaryFolder();
  bin = path.join(folder, "bin");
  mkdirSync(bin);
  for (const [name, text] of Object.entries({ "apt-get": APT, sudo: '#!/bin/sh\nexec "$@"\n' })) {
    writeFileSync(path.join(bin, name), text);
    chmodSync(path.join(bin, name), 0o755);
  }
});

describe("what a host has", () => {
  test("asking a tool for its version leaves nothing behind, as whoever", async () => {
    const { context } = await ipmWith("[{ tool: node }]");
    const tool = path.join(bin, "pandoc");
    writeFileSync(
      tool,
      '#!/bin/sh\nmkdir -p "$HOME/kept" 2> /dev/null && echo "$HOME" > "$0.wrote"\necho pandoc 3.1\n',
    );
    chmodSync(tool, 0o755);
    const found = await probeRequirements(context.host, [{ ...COMMON, tool: "pandoc" }]);
    expect(found[0]?.found?.version).toBe("3.1");
    expect(existsSync(`${tool}.wrote`)).toBe(false);
  });

  test.skipIf(lacks("cc"))("(cc) headers as the compiler finds them, and libraries as the loader does", async () => {
    const { context } = await ipmWith("[{ tool: node }]");
    const wanted: Requirement[] = [
      { ...COMMON, header: "stdio.h" },
      { ...COMMON, header: "sys/stat.h" },
      { ...COMMON, header: "no-such-header-of-ours.h" },
      { ...COMMON, header: "../../etc/passwd" },
      { ...COMMON, library: "libc" },
      { ...COMMON, library: "libno-such-library" },
    ];
    const found = await probeRequirements(context.host, wanted);
    expect(found.map(({ met }) => met)).toEqual([true, true, false, false, true, false]);
    expect(found[0]?.found?.path).toMatch(/\/stdio\.h$/u);
  });

  test("the version of a JVM is asked without the counters that it keeps in /tmp", async () => {
    const { context } = await ipmWith("[{ tool: node }]");
    const script = `#!/bin/sh\necho "$* $MAVEN_OPTS$JAVA_OPTS" > "$0.saw"\necho '17.0.1'\n`;
    const tools = ["java", "javac", "mvn", "gradle"];
    for (const tool of tools) writeFileSync(path.join(bin, tool), script, { mode: 0o755 });
    const found = await probeRequirements(
      context.host,
      tools.map((tool) => ({ ...COMMON, tool })),
    );
    expect(found.map((one) => one.found?.version)).toEqual(["17.0.1", "17.0.1", "17.0.1", "17.0.1"]);
    for (const tool of tools) expect(readFileSync(path.join(bin, `${tool}.saw`), "utf8")).toContain("-XX:-UsePerfData");
    // For the two that read no variable it is an argument.
    expect(readFileSync(path.join(bin, "java.saw"), "utf8")).toMatch(/^-XX:-UsePerfData -version /u);
    expect(readFileSync(path.join(bin, "javac.saw"), "utf8")).toMatch(/^-J-XX:-UsePerfData -version /u);
  });

  test("packages as pkg-config tells, with their versions", async () => {
    writeFileSync(
      path.join(bin, "pkg-config"),
      '#!/bin/sh\n[ "$2" = libours ] || exit 1\ncase $1 in --modversion) echo 2.1.12 ;; *) echo /usr/lib/pkgconfig ;; esac\n',
    );
    chmodSync(path.join(bin, "pkg-config"), 0o755);
    const { context } = await ipmWith("[{ tool: node }]");
    const found = await probeRequirements(context.host, [
      { ...COMMON, "pkg-config": "libours", version: ">=2.1" },
      { ...COMMON, "pkg-config": "libours", version: ">=3" },
      { ...COMMON, "pkg-config": "libevent" },
      { ...COMMON, "pkg-config": "--help" },
    ]);
    expect(found.map(({ met }) => met)).toEqual([true, false, false, false]);
    expect(found[0]?.found).toMatchObject({ path: "/usr/lib/pkgconfig/libours.pc", version: "2.1.12" });
    expect(found[2]?.remedy).toMatchObject({ manager: "apt", packages: ["libevent-dev"] });
  });
});

describe("variables, services and devices", () => {
  /** A port of this machine that answers until it is closed. */
  async function listen(at: { port: number } | { path: string }): Promise<Server> {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      server.listen("port" in at ? { ...at, host: "127.0.0.1" } : at, resolve);
    });
    return server;
  }

  test("a variable counts when it has a value, which is in nothing that comes out", async () => {
    const { context } = await ipmWith("[{ tool: node }]", { env: { OUR_TOKEN: "s3cret-value", OUR_EMPTY: "" } });
    const found = await probeRequirements(context.host, [
      { ...COMMON, env: "OUR_TOKEN" },
      { ...COMMON, env: "OUR_EMPTY" },
      { ...COMMON, env: "OUR_OTHER" },
    ]);
    expect(found.map(({ met, advice }) => [met, advice])).toEqual([
      [true, undefined],
      [false, "export OUR_EMPTY=VALUE"],
      [false, "export OUR_OTHER=VALUE"],
    ]);
    expect(JSON.stringify(found)).not.toContain("s3cret");
    expect(found.map(describeRequirement)).toEqual([
      "the variable OUR_TOKEN (set)",
      "the variable OUR_EMPTY (not set)",
      "the variable OUR_OTHER (not set)",
    ]);
  });

  test("a service counts while something answers at its port or socket", async () => {
    const { context } = await ipmWith("[{ tool: node }]");
    const byPort = await listen({ port: 0 });
    const address = byPort.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const socket = path.join("/tmp", `ipm-${path.basename(folder)}.sock`);
    const bySocket = await listen({ path: socket });
    const wanted: Requirement[] = [
      { ...COMMON, service: `localhost:${port}` },
      { ...COMMON, service: socket },
    ];
    const found = await probeRequirements(context.host, wanted);
    expect(found.map(describeRequirement)).toEqual([
      `the service localhost:${port} (answers at 127.0.0.1:${port})`,
      `the service ${socket} (answers at ${socket})`,
    ]);
    for (const server of [byPort, bySocket]) await new Promise((resolve) => server.close(resolve));
    const gone = await probeRequirements(context.host, wanted);
    expect(gone.map(({ met, advice }) => [met, advice])).toEqual([
      [false, `start what answers at localhost:${port}`],
      [false, `start what answers at ${socket}`],
    ]);
  });

  test("a device counts by the file that its driver made, with the driver's version", async () => {
    const facts = { kind: "other", size: 0, mode: 0o666, uid: 0, links: 1, modifiedMs: 0, changedMs: 0 } as const;
    const machine = (os: "linux" | "macos", files: Readonly<Record<string, string>>) => ({
      facts: { platform: { os, arch: "x64", libc: null } },
      files: {
        facts: (file: string) => Promise.resolve(files[file] === undefined ? undefined : facts),
        list: (at: string) =>
          Promise.resolve(
            Object.keys(files)
              .filter((file) => path.dirname(file) === at)
              .map((file) => path.basename(file)),
          ),
        readText: (file: string) => Promise.resolve(files[file]),
      },
    });
    const linux = machine("linux", {
      "/dev/nvidiactl": "",
      "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12",
      "/dev/dri/card0": "",
      "/dev/dri/renderD128": "",
    });
    expect(await findHardware(linux, "nvidia")).toMatchObject({ path: "/dev/nvidiactl", version: "535.183.01" });
    expect(await findHardware(linux, "gpu")).toMatchObject({ path: "/dev/dri/renderD128", version: null });
    expect(await findHardware(linux, "kvm")).toBeNull();
    expect(await findHardware(machine("macos", { "/dev/kvm": "" }), "kvm")).toBeNull();
  });

  test("what is missing is exit 4 with every one of them, why, and what to do", async () => {
    const { context } = await ipmWith(
      '[{ env: OUR_TOKEN, why: it asks for it }, { service: "localhost:1" }, { hardware: nvidia, version: ">=9999" }, { env: OUR_OTHER, optional: true }]',
    );
    const error = await install(context, ["lstm-demo"], OPTIONS).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "REQUIREMENT_MISSING",
      exitCode: 4,
      message: expect.stringContaining("\n  the variable OUR_TOKEN: it asks for it"),
      hint: expect.stringMatching(
        /^export OUR_TOKEN=VALUE; start what answers at localhost:1; this machine shows no nvidia .*, then run the command again$/u,
      ),
      data: {
        requirements: [
          { kind: "env", name: "OUR_TOKEN", for: "run", why: "it asks for it", advice: "export OUR_TOKEN=VALUE" },
          { kind: "service", name: "localhost:1", for: "run", remedy: null },
          { kind: "hardware", name: "nvidia", version: ">=9999" },
        ],
      },
    });
  });

  test("doctor says what an installed tool lacks since, and what to do", async () => {
    const ipm = await ipmWith("[{ env: OUR_TOKEN, why: it asks for it }]", { env: { OUR_TOKEN: "x" } });
    await install(ipm.context, ["lstm-demo"], OPTIONS);
    const look = async (env: Readonly<Record<string, string>>): Promise<unknown> => {
      const { host } = ipm.context;
      const facts = { ...host.facts, env: { ...host.facts.env, OUR_TOKEN: undefined, ...env } };
      const { checks } = await doctor({ ...ipm.context, host: { ...host, facts } }, { name: "lstm-demo", fix: false });
      return checks.find(({ id }) => id === "requirement.env.OUR_TOKEN");
    };
    expect(await look({ OUR_TOKEN: "x" })).toMatchObject({ status: "ok" });
    expect(await look({})).toMatchObject({
      status: "failed",
      title: "the variable OUR_TOKEN (not set)",
      detail: "it asks for it",
      fix: "export OUR_TOKEN=VALUE",
    });
  });
});

describe("doctor before a tool is installed", () => {
  const look = async (ipm: TestIpm): Promise<Awaited<ReturnType<typeof doctor>>> =>
    doctor(ipm.context, { name: "lstm-demo", fix: false });

  test("looks for what it needs and does nothing else", async () => {
    const ipm = await ipmWith("[{ tool: node }, { tool: pandoc, optional: true, why: manuals }, { env: OUR_TOKEN }]", {
      env: { OUR_TOKEN: "x" },
    });
    const { healthy, checks } = await look(ipm);
    expect(healthy).toBe(true);
    expect(checks.map(({ id, status }) => `${id} ${status}`)).toContain("method.node ok");
    expect(checks).toContainEqual(
      expect.objectContaining({
        id: "method.node.requirement.tool.pandoc",
        status: "warning",
        detail: "manuals",
        fix: expect.stringMatching(/apt-get install -y pandoc$/u),
      }),
    );
    expect(existsSync(ipm.layout.store)).toBe(false);
  });

  test("and says what to do where no method can be used", async () => {
    const { healthy, checks } = await look(await ipmWith("[{ tool: pandoc }, { env: OUR_TOKEN }]"));
    expect(healthy).toBe(false);
    expect(
      checks.filter(({ status }) => status === "failed").map(({ fix }) => fix?.replace("sudo ", "") ?? null),
    ).toEqual(expect.arrayContaining([null, "apt-get install -y pandoc", "export OUR_TOKEN=VALUE"]));
  });

  test("a name that nobody knows is not found", async () => {
    const ipm = await ipmWith("[{ tool: node }]");
    await expect(doctor(ipm.context, { name: "no-such-tool", fix: false })).rejects.toMatchObject({
      code: "TOOL_NOT_FOUND",
    });
  });
});

describe("what is missing", () => {
  test("the failure has the one command for this host as its hint, and everything as data", async () => {
    const { context } = await ipmWith("[{ tool: pandoc }, { header: no-such.h }, { tool: gs }]");
    const install_ = context.host.facts.uid === 0 ? "apt-get install -y" : "sudo apt-get install -y";
    await expect(install(context, ["lstm-demo"], OPTIONS)).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
      hint: `${install_} pandoc ghostscript; and install the header no-such.h`,
      data: {
        requirements: [
          { kind: "tool", name: "pandoc", remedy: { manager: "apt", packages: ["pandoc"] } },
          { kind: "header", name: "no-such.h", remedy: null },
          { kind: "tool", name: "gs" },
        ],
        remedies: [{ manager: "apt", command: expect.arrayContaining(["pandoc", "ghostscript"]) }],
      },
    });
    expect(calls()).toEqual([]);
  });

  test("--with-requirements asks once, with every command, and goes on", async () => {
    const asked: (readonly string[])[] = [];
    const { context } = await ipmWith('[{ tool: pandoc, version: ">=3" }]', {
      ask: (question) => {
        asked.push(question.detail ?? []);
        return Promise.resolve(true);
      },
    });
    // A terminal is what `attach` needs; what matters here is what is run.
    const { processes } = context.host;
    const host = {
      ...context.host,
      processes: { ...processes, attach: (request: Parameters<typeof processes.attach>[0]) => processes.run(request) },
    };
    const result = await install({ ...context, host }, ["lstm-demo"], { ...OPTIONS, withRequirements: true });
    expect(result.installed).toHaveLength(1);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.map((line) => line.replace("sudo ", ""))).toEqual(["apt-get update", "apt-get install -y pandoc"]);
    expect(calls()).toEqual(["update", "install -y pandoc"]);
  });

  test("--with-requirements runs nothing without a terminal unless --yes, after a no, or for a plan alone", async () => {
    const { context } = await ipmWith("[{ tool: pandoc }]");
    const wanted = { ...OPTIONS, withRequirements: true };
    await expect(install(context, ["lstm-demo"], wanted)).rejects.toMatchObject({ code: "REQUIREMENT_MISSING" });
    await expect(install(context, ["lstm-demo"], { ...wanted, yes: true, dryRun: true })).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
    });
    const refused = { ...context, ask: () => Promise.resolve(false) };
    await expect(install(refused, ["lstm-demo"], wanted)).rejects.toMatchObject({ code: "DECLINED" });
    await expect(install(context, ["lstm-demo"], { ...OPTIONS, yes: true })).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
    });
    expect(calls()).toEqual([]);
    expect((await install(context, ["lstm-demo"], { ...wanted, yes: true })).installed).toHaveLength(1);
    expect(calls()).toEqual(["update", "install -y pandoc"]);
  });

  test("nothing is run when there is no remedy for all of it; a command that fails is named", async () => {
    const { context } = await ipmWith("[{ tool: pandoc }, { tool: no-such-program-of-ours }]");
    const wanted = { ...OPTIONS, withRequirements: true, yes: true };
    await expect(install(context, ["lstm-demo"], wanted)).rejects.toMatchObject({ code: "REQUIREMENT_MISSING" });
    expect(calls()).toEqual([]);
    writeFileSync(path.join(bin, "apt-get"), "#!/bin/sh\nexit 100\n");
    const other = await probeRequirements(context.host, [{ ...COMMON, tool: "pandoc" }]);
    const { installRequirements } = await import("../../../src/usecases/install-requirements.ts");
    await expect(installRequirements(context, "x@1", other, wanted)).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
      message: expect.stringContaining("apt-get update failed with exit code 100"),
    });
  });
});
