import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isIpmError } from "../../../src/core/errors.ts";
import { parseTarget } from "../../../src/source/parse-target.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

function failure(text: string, ref: string | null = null): { code: string; message: string; hint: string } {
  try {
    parseTarget(text, ref);
  } catch (error) {
    if (isIpmError(error)) return { code: error.code, message: error.message, hint: error.hint ?? "" };
    throw error;
  }
  return { code: "accepted", message: "", hint: "" };
}

describe("names", () => {
  test.each([
    ["ripgrep", null, "ripgrep", null],
    ["ripgrep@14.1.0", null, "ripgrep", "14.1.0"],
    ["ripgrep@2.10", null, "ripgrep", "2.10"],
    ["ripgrep@HEAD", null, "ripgrep", "HEAD"],
    ["a.b_c-d", null, "a.b_c-d", null],
    ["official:ripgrep", "official", "ripgrep", null],
    ["official:ripgrep@14.1.0", "official", "ripgrep", "14.1.0"],
    ["7zip", null, "7zip", null],
  ])("%s", (text, registry, name, version) => {
    expect(parseTarget(text)).toEqual({ kind: "name", registry, name, version });
  });

  test.each(
    [
      "",
      " ",
      "@",
      "@1.0",
      "ripgrep@",
      "ripgrep@..",
      "ripgrep@-f",
      "a:b:c",
      ":a",
      "a:",
      "con",
      "ri pgrep",
      "ripgrep\u0000",
      "rg@1@2",
      "é",
      "..",
      "a..b",
    ].filter((text) => !text.startsWith(".")),
  )("%j is none", (text) => {
    expect(failure(text).code).toBe("TARGET_INVALID");
  });

  test("upper case is answered with the name in lower case", () => {
    expect(failure("RipGrep")).toMatchObject({
      code: "TARGET_INVALID",
      hint: "write ripgrep: names are in lower case",
    });
  });

  test("a flag-like target is refused", () => {
    expect(failure("--upload-pack=x").code).toBe("TARGET_INVALID");
    expect(failure("-f").code).toBe("TARGET_INVALID");
  });
});

describe("owner/repo is always the forge", () => {
  test.each([
    ["owner/repo", "https://github.com/owner/repo.git", null],
    ["owner/repo@v1.2.3", "https://github.com/owner/repo.git", "v1.2.3"],
    ["Owner/Repo.js@main", "https://github.com/Owner/Repo.js.git", "main"],
    [`owner/repo@${COMMIT}`, "https://github.com/owner/repo.git", COMMIT],
    ["owner/repo.git@v1", "https://github.com/owner/repo.git", "v1"],
  ])("%s", (text, url, ref) => {
    expect(parseTarget(text)).toEqual({ kind: "git", url, ref });
  });

  test("a ref with a slash comes by --ref", () => {
    expect(parseTarget("owner/repo", "feature/x")).toMatchObject({ ref: "feature/x" });
    expect(failure("owner/repo@feature/x")).toMatchObject({
      code: "TARGET_INVALID",
      hint: "write owner/repo --ref feature/x",
    });
  });

  test.each([
    "a/b/c",
    "a/",
    "a/..",
    "@scope/package",
    "owner/repo@",
    "owner/repo@-f",
    "owner/repo@a..b",
    "owner/re po",
  ])("%j is none", (text) => {
    expect(failure(text).code).toBe("TARGET_INVALID");
  });
});

describe("URLs", () => {
  test.each([
    ["https://example.org/a/tool.git", "https://example.org/a/tool.git", null],
    ["https://example.org/a/tool@v1.0", "https://example.org/a/tool", "v1.0"],
    ["https://example.org:8443/tool@v1.0", "https://example.org:8443/tool", "v1.0"],
    [`https://example.org/tool@${COMMIT}`, "https://example.org/tool", COMMIT],
    ["ssh://git@example.org/tool", "ssh://git@example.org/tool", null],
    ["ssh://git@example.org/tool@v2", "ssh://git@example.org/tool", "v2"],
    ["git@github.com:owner/repo.git", "git@github.com:owner/repo.git", null],
    ["git@github.com:owner/repo.git@v2", "git@github.com:owner/repo.git", "v2"],
    ["git@example.org:tool@v2", "git@example.org:tool", "v2"],
    ["file:///srv/git/tool@v2", "file:///srv/git/tool", "v2"],
    ["https://example.org/@user/tool@v2", "https://example.org/@user/tool", "v2"],
  ])("%s", (text, url, ref) => {
    expect(parseTarget(text)).toEqual({ kind: "git", url, ref });
  });

  test.each([
    "ext::sh -c x",
    "http://example.org/a",
    "git://example.org/a",
    "https://example.org",
    "HTTPS://example.org/a",
    "git@-oProxyCommand=x:a",
    "ssh://-oProxyCommand=x/a",
    "https://example.org/a@",
    "https://example.org/a@-f",
  ])("B21: %s is refused", (text) => {
    expect(failure(text).code).toBe("TARGET_INVALID");
  });

  test("http is answered with https", () => {
    expect(failure("http://example.org/a").hint).toBe("write https://example.org/a");
  });

  test("B41: a password in the URL is refused and not shown", () => {
    const { code, message, hint } = failure("https://user:hunter2@example.org/a");
    expect(code).toBe("SOURCE_REFUSED");
    expect(message + hint).not.toContain("hunter2");
    expect(hint).toContain("credential helper");
  });

  test("a ref is given once", () => {
    expect(failure("owner/repo@v1", "v2").code).toBe("USAGE");
  });
});

describe("paths start with . / or ~", () => {
  test.each([".", "..", "./tool", "../tool@x", "/srv/tool", "~", "~/tool", "./manifest.yaml", ".hidden", "/srv/a:b"])(
    "%s",
    (text) => {
      expect(parseTarget(text)).toEqual({ kind: "path", path: text });
    },
  );

  test("a folder's name without ./ is a tool", () => {
    expect(parseTarget("src")).toMatchObject({ kind: "name" });
  });

  test("--ref is not for paths and names", () => {
    expect(failure("./tool", "v1").code).toBe("USAGE");
    expect(failure("ripgrep", "v1").code).toBe("USAGE");
  });
});

test("hostile text is escaped in messages", () => {
  expect(failure("a\u001b[2Jb").message).toContain("\\x1b");
  expect(failure("owner/repo@a\u202eb").message).toContain("\\u202e");
});

test("a text without end is cut in the message", () => {
  const { message } = failure("A".repeat(5000));
  expect(message).toContain("A".repeat(100));
  expect(message).toContain("…");
  expect(message.length).toBeLessThan(250);
});

test("every text is either a target or refused with a code and a hint", () => {
  const outcome = fc.check(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const { code, hint } = failure(text);
      return code === "accepted" || hint !== "";
    }),
  );
  expect(outcome.counterexample).toBeNull();
});
