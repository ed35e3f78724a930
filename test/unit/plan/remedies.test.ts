import { describe, expect, test } from "vitest";
import type { Requirement } from "../../../src/manifest/manifest.ts";
import { PACKAGE_MANAGERS, type RemedyHost, findRemedy, remedyCommands } from "../../../src/plan/remedies.ts";
import { REMEDY_ROWS } from "../../../src/plan/remedy-rows.ts";

const COMMON = { version: null, for: "build", optional: false, why: null } as const;
const DEBIAN: RemedyHost = { distribution: "debian", managers: ["apt"], isRoot: false, escalation: "sudo" };

function on(managers: readonly string[], distribution = "linux"): RemedyHost {
  return { distribution, managers, isRoot: true, escalation: null };
}

describe("a remedy", () => {
  test.each<[string, Requirement, readonly string[]]>([
    ["a program", { ...COMMON, tool: "cmake" }, ["cmake"]],
    ["a header", { ...COMMON, header: "zlib.h" }, ["zlib1g-dev"]],
    ["a package of pkg-config", { ...COMMON, "pkg-config": "libevent" }, ["libevent-dev"]],
    ["a library", { ...COMMON, library: "libssl" }, ["libssl3"]],
    ["several packages", { ...COMMON, tool: "cc" }, ["gcc", "libc6-dev"]],
  ])("for %s", (_, requirement, packages) => {
    expect(findRemedy(requirement, DEBIAN)).toEqual({
      manager: "apt",
      packages,
      command: ["sudo", "apt-get", "install", "-y", ...packages],
    });
  });

  test.each([
    ["dnf", "zlib-devel"],
    ["pacman", "zlib"],
    ["apk", "zlib-dev"],
    ["zypper", "zlib-devel"],
    ["brew", "zlib"],
  ])("with %s", (manager, name) => {
    expect(findRemedy({ ...COMMON, "pkg-config": "zlib" }, on([manager]))?.packages).toEqual([name]);
  });

  test("comes from the system's own package manager where there are several", () => {
    const cmake: Requirement = { ...COMMON, tool: "cmake" };
    expect(findRemedy(cmake, on(["apt", "brew"], "debian"))?.manager).toBe("apt");
    expect(findRemedy(cmake, on(["dnf", "zypper"], "opensuse-leap"))?.manager).toBe("zypper");
    expect(findRemedy(cmake, on(["mise", "brew"], "macos"))?.manager).toBe("brew");
  });

  test("comes from mise where it is there and a version is asked for", () => {
    const node = (version: string | null): Requirement => ({ ...COMMON, tool: "node", version });
    expect(findRemedy(node(">=20"), on(["apt", "mise"]))?.command).toEqual([
      "mise",
      "use",
      "--global",
      "--yes",
      "node@latest",
    ]);
    expect(findRemedy(node(">=18 <21"), on(["apt", "mise"]))?.packages).toEqual(["node@18"]);
    expect(findRemedy(node(null), on(["apt", "mise"]))?.manager).toBe("apt");
    expect(findRemedy(node(">=20"), on(["apt"]))?.manager).toBe("apt");
  });

  test("is nobody's to know for other things and on a host without package managers", () => {
    expect(findRemedy({ ...COMMON, tool: "no-such-tool" }, DEBIAN)).toBeNull();
    expect(findRemedy({ ...COMMON, tool: "zlib.h" }, DEBIAN)).toBeNull();
    expect(findRemedy({ ...COMMON, tool: "cmake" }, on([]))).toBeNull();
    expect(findRemedy({ ...COMMON, header: "fuse3/fuse.h" }, on(["brew"]))).toBeNull();
  });
});

test("several remedies are one command a package manager, each package once", () => {
  const remedies = [
    { ...COMMON, header: "zlib.h" },
    { ...COMMON, "pkg-config": "zlib" },
    { ...COMMON, tool: "make" },
  ].flatMap((requirement) => findRemedy(requirement, DEBIAN) ?? []);
  expect(remedyCommands(remedies, DEBIAN).map(({ command }) => command.join(" "))).toEqual([
    "sudo apt-get install -y zlib1g-dev make",
  ]);
  expect(remedyCommands(remedies, { ...DEBIAN, isRoot: true }, true).map(({ command }) => command.join(" "))).toEqual([
    "apt-get update",
    "apt-get install -y zlib1g-dev make",
  ]);
});

describe("the table", () => {
  test("names everything once", () => {
    for (const names of [
      REMEDY_ROWS.flatMap((row) => row.tools ?? []),
      REMEDY_ROWS.flatMap((row) => row.headers ?? []),
      REMEDY_ROWS.flatMap((row) => row.pkgConfig ?? []),
      REMEDY_ROWS.flatMap((row) => row.libraries ?? []),
    ]) {
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    }
  });

  test("has words that need no quotes, and a source in every row", () => {
    for (const { packages, source } of REMEDY_ROWS) {
      expect(source).toMatch(/^[a-z]+\.[a-z]+\/\S+$/u);
      for (const [manager, names] of Object.entries(packages)) {
        expect(PACKAGE_MANAGERS.map(({ id }) => id)).toContain(manager);
        expect(names).toMatch(/^[A-Za-z0-9@][A-Za-z0-9@/+._ -]*$/u);
      }
    }
  });
});
