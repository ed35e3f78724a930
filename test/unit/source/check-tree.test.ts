import { describe, expect, test } from "vitest";
import { checkTree, isDotGit } from "../../../src/source/check-tree.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "../../../src/source/limits.ts";
import type { TreeEntry } from "../../../src/source/source.ts";

const OID = "0".repeat(40);

/** Paths of files, or `path -> target` for links. */
function problemsOf(spec: readonly string[], limits: Partial<SourceLimits> = {}): string[] {
  const targets = new Map<string, string>();
  const listing = spec.map((line): TreeEntry => {
    const [path = "", target] = line.split(" -> ");
    if (target !== undefined) targets.set(path, target);
    return { path, mode: target === undefined ? "100644" : "120000", oid: OID, size: (target ?? "x").length };
  });
  return checkTree(listing, targets, { ...DEFAULT_LIMITS, ...limits }).map(({ path, reason }) => `${path} ${reason}`);
}

describe("a harmless tree has no problem", () => {
  test.each([
    [
      [
        "README.md",
        "src/a.ts",
        "src/b/c.ts",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".gitattributes",
        ".gitmodules",
      ],
    ],
    [["a", "b", "a.b", "a/".replace("/", "-")]],
    [["docs/index -> ../README.md", "README.md"]],
    [["a -> b", "b -> c", "c/d"]],
    [["loop -> loop"]],
    [["x/loop -> ../y/loop", "y/loop -> ../x/loop"]],
    [["here -> ."]],
    [["made -> build/made/later"]],
    [["git", "dot.git", "x.git/HEAD", "gitx", ".gitx", "git~x"]],
    [["emoji-\u{1f469}\u200d\u{1f4bb}.md", "h\u00e9llo", "\u65e5\u672c"]],
    [["with space", "quote'\"", "dollar$x", "back\\slash", "-dash", "a:b", "*"]],
    [[]],
  ])("%j", (spec) => {
    expect(problemsOf(spec)).toEqual([]);
  });
});

describe("B29: links that leave", () => {
  test.each([
    ["a -> /etc/passwd"],
    ["a -> /"],
    ["a -> .."],
    ["a -> ../x"],
    ["d/a -> ../../x"],
    ["d/a -> x/../../../y"],
    ["a -> ./././../x"],
    ["a -> d//..//../x"],
    ["a -> "],
  ])("%s", (link) => {
    expect(problemsOf([link, "d/x"])).toHaveLength(1);
  });

  test.each([
    ["through a link to a folder above", ["d/up -> ..", "a -> d/up/../x"]],
    ["through a link of a link", ["d/up -> ../e", "e -> d/f", "d/f/x", "a -> d/up/../../../x"]],
    ["in another case", ["D/up -> ..", "a -> d/UP/../x"]],
  ])("%s", (_, spec) => {
    expect(problemsOf(spec).filter((problem) => problem.startsWith("a "))).toHaveLength(1);
  });

  test("the shortest way that only looks like leaving stays", () => {
    expect(problemsOf(["d/e/up -> ../..", "a -> d/e/up/d"])).toEqual([]);
  });

  test("a hostile target is escaped", () => {
    expect(problemsOf(["a -> /\u001b[2J\u202e"]).join("")).toContain("\\x1b[2J\\u202e");
  });
});

describe("B30: names that meet", () => {
  test.each([
    [["README", "readme"]],
    [["a/x", "A/y"]],
    [["a", "A/y"]],
    [["\u00e9", "e\u0301"]],
    [["\u00e9/x", "e\u0301/y"]],
    [["stra\u00dfe", "STRASSE"]],
    [["\u212a", "k"]],
    [["a", "a"]],
    [["a -> b", "a/x"]],
    [["a", "a/x"]],
    [["d/a -> ../b", "d/a/x", "b/y"]],
  ])("%j", (spec) => {
    expect(problemsOf(spec).length).toBeGreaterThan(0);
  });
});

describe("B31: .git in any spelling", () => {
  test.each([
    ".git",
    ".GIT",
    ".Git",
    "git~1",
    "GIT~1",
    "git~23",
    ".git.",
    ".git ",
    ".git. . ",
    ".git::$INDEX_ALLOCATION",
    ".git:x",
    ".g\u200cit",
    ".gi\u200dt",
    "\ufeff.git",
    ".git\u206f",
    "a\\.git",
    ".git\\config",
  ])("%j", (name) => {
    expect(isDotGit(name)).toBe(true);
    expect(problemsOf([name])).toHaveLength(1);
    expect(problemsOf([`d/${name}/config`])).toHaveLength(1);
  });

  test.each([".gitignore", ".github", "git", ".git2", "x.git", "git~", "git~x", ".git-x", "..git"])(
    "%j is another name",
    (name) => {
      expect(isDotGit(name)).toBe(false);
    },
  );

  test.each(["..", "../x", "a/../b", ".", "a/./b", "/a", "a//b", "a/", ""])("%j is no path", (path) => {
    expect(problemsOf([path])).toHaveLength(1);
  });

  test("a link into git's own folder", () => {
    expect(problemsOf(["a -> .git/hooks/x"])).toHaveLength(1);
    expect(problemsOf(["d/a -> ../.GIT"])).toHaveLength(1);
  });
});

test.each(["a\nb", "a\u0000b", "a\u007fb", "a\u0085b", "a\u001b[2J", "a\tb", "a\rb", "a\ufffdb"])(
  "control characters: %j",
  (path) => {
    const [problem] = problemsOf([path]);
    expect(problem).toBeDefined();
  },
);

describe("B38: limits", () => {
  test.each([
    ["files", { files: 1 }],
    ["bytes", { bytes: 1 }],
    ["fileBytes", { fileBytes: 0 }],
    ["depth", { depth: 1 }],
    ["pathBytes", { pathBytes: 4 }],
    ["nameBytes", { nameBytes: 1 }],
  ])("%s", (_, limits) => {
    expect(problemsOf(["aa/b/c", "aa/b/d"], limits).length).toBeGreaterThan(0);
  });

  test("bytes of a path are counted, not characters", () => {
    expect(problemsOf(["\u00e9\u00e9\u00e9"], { nameBytes: 5 })).toHaveLength(1);
  });

  test("100,000 files are checked without noticeable cost", () => {
    const paths = Array.from({ length: 100_000 }, (_, index) => `d${index % 300}/e${index % 70}/f${index}.ts`);
    expect(problemsOf(paths)).toEqual([]);
  });
});
