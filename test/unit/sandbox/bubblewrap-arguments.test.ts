import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isIpmError } from "../../../src/core/errors.ts";
import { type SystemMount, bubblewrapArguments } from "../../../src/sandbox/bubblewrap-arguments.ts";
import { isInside } from "../../../src/sandbox/paths.ts";
import type { Grants } from "../../../src/sandbox/sandbox.ts";

const SYSTEM: readonly SystemMount[] = [
  { kind: "bind", from: "/usr", at: "/usr" },
  { kind: "link", target: "usr/bin", at: "/bin" },
  { kind: "empty", at: "/usr/etc/npmrc" },
  { kind: "bind", from: "/etc/alternatives", at: "/etc/alternatives" },
];
const ENTRY = "/home/me/.local/share/ipm/store/rc/1.0-0123456789ab";

function argumentsFor(grants: Partial<Grants>, env: Record<string, string> = {}): string[] {
  const full = { writable: [], readable: [], network: [], ...grants };
  const data = [{ at: "/etc/passwd", descriptor: 5 }];
  return bubblewrapArguments({ grants: full, cwd: "/work", env, data, empty: 6 }, { system: SYSTEM });
}

interface Mount {
  readonly option: string;
  readonly at: string;
}

/** Every option that puts something at a path, in order. */
function mounts(args: readonly string[]): Mount[] {
  const found: Mount[] = [];
  for (const [index, option] of args.entries()) {
    if (["--bind", "--ro-bind", "--symlink", "--file", "--ro-bind-data"].includes(option))
      found.push({ option, at: args[index + 2] ?? "" });
    else if (["--tmpfs", "--proc", "--dev", "--remount-ro"].includes(option))
      found.push({ option, at: args[index + 1] ?? "" });
  }
  return found;
}

describe("bubblewrapArguments", () => {
  test("separates every namespace, drops every right, and dies with ipm", () => {
    const args = argumentsFor({});
    for (const option of ["user", "pid", "ipc", "uts", "net"]) expect(args).toContain(`--unshare-${option}`);
    for (const option of [
      "--disable-userns",
      "--unshare-cgroup-try",
      "--die-with-parent",
      "--new-session",
      "--clearenv",
    ]) {
      expect(args).toContain(option);
    }
    expect(args.join(" ")).toContain("--cap-drop ALL");
    expect(args.join(" ")).not.toContain("--share-net");
  });

  test("has an ordinary id inside, whoever runs ipm", () => {
    expect(argumentsFor({}).join(" ")).toContain("--uid 1000 --gid 1000");
  });

  test("makes /proc, /run and the root read-only after every other mount", () => {
    const found = mounts(
      argumentsFor({ writable: [`${ENTRY}/prefix`], readable: ["/home/me/.nvm/versions/node/v20"] }),
    );
    expect(found.slice(-3)).toEqual([
      { option: "--remount-ro", at: "/proc" },
      { option: "--remount-ro", at: "/run" },
      { option: "--remount-ro", at: "/" },
    ]);
    expect(found.at(-4)).toEqual({ option: "--bind", at: `${ENTRY}/prefix` });
  });

  test("gives /tmp anew, before what may lie beneath it", () => {
    const found = mounts(argumentsFor({ writable: ["/tmp/home/prefix"] })).map(({ at }) => at);
    expect(found.indexOf("/tmp")).toBeLessThan(found.indexOf("/tmp/home/prefix"));
  });

  test("clears the environment before it is set", () => {
    const args = argumentsFor({}, { A: "1", B: "two words" });
    expect(args.slice(args.indexOf("--clearenv"), args.indexOf("--clearenv") + 7)).toEqual([
      "--clearenv",
      "--setenv",
      "A",
      "1",
      "--setenv",
      "B",
      "two words",
    ]);
  });

  test("binds nothing twice: what the system or a writable folder shows needs no mount", () => {
    const found = mounts(
      argumentsFor({ writable: [`${ENTRY}/prefix`], readable: ["/usr/lib/jvm/java-17", `${ENTRY}/prefix/lib`] }),
    );
    expect(found.filter(({ option }) => option === "--ro-bind").map(({ at }) => at)).toEqual([
      "/usr",
      "/etc/alternatives",
    ]);
  });

  test.each([
    ["a writable folder beneath a readable one", { readable: [ENTRY], writable: [`${ENTRY}/scratch`] }],
    ["a writable folder that holds a system folder", { writable: ["/usr/.."] }],
    ["the whole of /home", { writable: ["/home"] }],
    ["the root", { readable: ["/"] }],
    ["a relative path", { writable: ["prefix"] }],
    ["a path with dots", { writable: ["/a/../b"] }],
    ["a path with NUL", { writable: ["/a\0b"] }],
    ["a writable folder above files of /etc", { writable: ["/etc/alternatives"] }],
  ])("refuses %s", (_name, grants) => {
    expect(() => argumentsFor(grants)).toThrow(expect.objectContaining({ code: "SANDBOX_FAILED" }));
  });

  test("refuses a value with NUL, which would become an option of its own", () => {
    expect(() => argumentsFor({}, { A: "x\0--bind\0/\0/" })).toThrow(
      expect.objectContaining({ code: "SANDBOX_FAILED" }),
    );
  });

  const name = fc.constantFrom(
    "a",
    "b",
    "usr",
    "etc",
    "home",
    "tmp",
    "run",
    "opt",
    "alternatives",
    "..",
    "x y",
    "$(id)",
  );
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  const paths = fc.array(path, { maxLength: 4 });

  test("nothing is ever mounted beneath what a package controls (CVE-2026-87766)", () => {
    let accepted = 0;
    fc.assert(
      fc.property(paths, paths, (writable, readable) => {
        let args: string[];
        try {
          args = argumentsFor({ writable, readable });
        } catch (error) {
          if (isIpmError(error, "SANDBOX_FAILED")) return;
          throw error;
        }
        accepted++;
        const found = mounts(args).filter(({ option }) => option !== "--remount-ro");
        const granted = found.filter(({ at }) => [...writable, ...readable].includes(at));
        for (const { at } of granted) {
          expect(found.filter((other) => other.at !== at && isInside(at, other.at))).toEqual([]);
        }
        // And every writable folder is there, by itself or within another one.
        for (const folder of writable) {
          expect(found.some(({ option, at }) => option === "--bind" && isInside(at, folder))).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});
