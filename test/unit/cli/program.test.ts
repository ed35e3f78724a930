import { describe, expect, test } from "vitest";
import { splitArguments } from "../../../src/cli/arguments.ts";
import { parseWithCommander } from "../../../src/cli/commander-program.ts";
import { installCommand } from "../../../src/cli/commands/install.ts";
import { plainInvocation } from "../../../src/cli/plain-invocation.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { recordedCommand } from "../../../src/cli/main.ts";
import { type Parsed, parseCommandLine } from "../../../src/cli/program.ts";
import { renderHelp } from "../../../src/cli/render/help.ts";
import { createTheme } from "../../../src/cli/render/theme.ts";
import { isIpmError } from "../../../src/core/errors.ts";

async function parse(line: string): Promise<Extract<Parsed, { kind: "command" }>> {
  const parsed = await parseCommandLine(line.split(" "), false);
  if (parsed.kind !== "command") throw new Error(`${line} is no command`);
  return parsed;
}

async function failure(line: string): Promise<{ message: string; hint: string | undefined; data: unknown }> {
  try {
    await parseCommandLine(line.split(" "), false);
  } catch (error) {
    if (isIpmError(error, "USAGE")) return { message: error.message, hint: error.hint, data: error.data };
    throw error;
  }
  throw new Error(`${line} was accepted`);
}

describe("what is meant", () => {
  test.each([
    ["i ripcat", "install"],
    ["sh ripcat", "show"],
    ["s rip cat", "search"],
    ["pin ripcat", "hold"],
    ["unpin ripcat", "unhold"],
    ["self remove", "self remove"],
  ])("%s is ipm %s", async (line, name) => {
    expect((await parse(line)).spec.name).toBe(name);
  });

  test("operands and flags reach the command, in any order", async () => {
    const { invocation } = await parse("install --method cargo ripcat --dry-run --no-sandbox rg@1.2 --jobs=3");
    expect(invocation.operands).toEqual(["ripcat", "rg@1.2"]);
    expect(invocation.text("method")).toBe("cargo");
    expect(invocation.has("dry-run")).toBe(true);
    expect(invocation.has("no-sandbox")).toBe(true);
    expect(invocation.has("no-fallback")).toBe(false);
    expect(invocation.whole("jobs", 1)).toBe(3);
  });

  test("a flag that repeats keeps every value, in their order", async () => {
    const { invocation } = await parse("install ripcat --set A=1 --set=B=x=y --dry-run");
    expect(invocation.texts("set")).toEqual(["A=1", "B=x=y"]);
    expect((await parse("install ripcat")).invocation.texts("set")).toEqual([]);
  });

  test("no record of a command line holds what --set gives", () => {
    expect(recordedCommand(["install", "rc", "--set", "A=se=cret", "--set=B=s", "--set", "C=@f"])).toBe(
      "ipm install rc --set A=... --set=B=... --set C=...",
    );
  });

  test("a number that is none, or too small, is a usage error", async () => {
    for (const jobs of ["0", "many", "1.5", "-1", "1e9", "99999999999"]) {
      const { invocation } = await parse(`install ripcat --jobs=${jobs}`);
      expect(() => invocation.whole("jobs", 1)).toThrow(expect.objectContaining({ code: "USAGE" }));
    }
  });

  test("switches, wherever they stand, need no parser; a value or a short form does", () => {
    const words = ["install", "--no-sandbox", "ripcat", "--dry-run"];
    const plain = plainInvocation(installCommand, words);
    expect(plain?.operands).toEqual(["ripcat"]);
    expect(plain?.has("no-sandbox")).toBe(true);
    expect(plain?.has("dry-run")).toBe(true);
    expect(plain?.has("keep-going")).toBe(false);
    for (const more of ["--jobs=3", "--method", "-y", "--", "--dryrun", "--"])
      expect(plainInvocation(installCommand, [...words, more])).toBeUndefined();
    expect(plainInvocation(installCommand, ["install", "--dry-run"])).toBeUndefined();
  });

  test("what follows -- is an operand, also when it looks like a flag", async () => {
    expect((await parse("which -- --help")).invocation.operands).toEqual(["--help"]);
  });
});

describe("what is not understood", () => {
  test("a flag that takes no value is not called unknown", async () => {
    expect((await failure("install ripcat --dry-run=1")).message).toBe("--dry-run takes no value");
    expect((await failure("list --json=yes")).message).toBe("--json takes no value");
  });

  test("a misspelt command is told its nearest names", async () => {
    expect(await failure("instal ripcat")).toMatchObject({
      message: 'there is no command "instal"',
      hint: "ipm install",
    });
    expect((await failure("uninstal ripcat")).data).toEqual({ nearest: ["uninstall"] });
    expect((await failure("frobnicate")).hint).toBe("ipm --help");
    expect((await failure("self destroy")).message).toBe('there is no command "self destroy"');
  });

  test("a misspelt flag likewise, of the command or of all", async () => {
    expect((await failure("install ripcat --dryrun")).hint).toContain("--dry-run");
    expect((await failure("install ripcat --jsn")).hint).toContain("--json");
    expect((await failure("install -y ripcat")).hint).toContain("--yes");
    expect((await failure("--frobnicate list")).message).toContain("--frobnicate");
  });

  test("too few, too many and unfinished arguments are told by what the command wants", async () => {
    expect(await failure("install")).toEqual({
      message: "ipm install wants TARGET...",
      hint: "ipm install lstm-demo",
      data: {},
    });
    expect((await failure("list ripcat")).message).toContain("no arguments");
    expect((await failure("install ripcat --method")).message).toBe("--method ID: the value is missing");
  });
});

test.each([
  [[], "everything"],
  [["help"], "everything"],
  [["help", "install"], "command"],
  [["self"], "group"],
] as const)("%j asks for help", async (words, about) => {
  expect(await parseCommandLine(words, false)).toMatchObject({ kind: "help", about });
});

test.each(COMMANDS.map((spec) => [spec.name, spec] as const))(
  "ipm %s can be asked for help, which begins with examples",
  async (name, spec) => {
    expect(await parseCommandLine(name.split(" "), true)).toMatchObject({
      kind: "help",
      about: "command",
      specs: [spec],
    });
    const [, , first] = renderHelp([spec], "command", createTheme({ color: false, unicode: false, width: 80 }));
    expect(first).toContain(spec.examples[0]?.[0]);
  },
);

test.each(COMMANDS.flatMap((spec) => spec.examples.map(([line]) => [line, spec.name] as const)))(
  "the example %s is understood",
  async (line, name) => {
    const words = /ipm ([^"|>)]*)/u.exec(line)?.[1]?.trim().split(/\s+/u) ?? [];
    const { rest } = splitArguments(words);
    const parsed = await parseCommandLine(rest, false);
    expect(parsed).toMatchObject({ kind: "command", spec: { name } });
    // Lines without flags are understood without commander, and as commander does.
    if (parsed.kind !== "command") return;
    const { spec, invocation } = parseWithCommander(parsed.spec, rest);
    expect(parsed.spec).toBe(spec);
    expect(parsed.invocation.operands).toEqual(invocation.operands);
    const switches = (spec.options ?? []).flatMap(({ flags }) => /^--([a-z-]+)$/u.exec(flags)?.[1] ?? []);
    expect(switches.filter((flag) => parsed.invocation.has(flag))).toEqual(
      switches.filter((flag) => invocation.has(flag)),
    );
  },
);
