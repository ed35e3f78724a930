import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forgeUrl, isRefName, parseGitUrl, sourceKey } from "../../../src/core/git-url.ts";

function problemOf(text: string): string {
  const result = parseGitUrl(text);
  return result.ok ? "accepted" : result.problem.kind;
}

describe("parseGitUrl", () => {
  test.each([
    ["https://github.com/owner/repo.git", "https", "github.com", null, "owner/repo.git"],
    ["https://git.example.org:8443/a/b/c", "https", "git.example.org", 8443, "a/b/c"],
    ["https://dev.example.com/my%20project/_git/tool", "https", "dev.example.com", null, "my project/_git/tool"],
    ["https://git.sr.ht/~user/tool", "https", "git.sr.ht", null, "~user/tool"],
    ["https://[::1]:8080/a", "https", "[::1]", 8080, "a"],
    ["ssh://git@github.com/owner/repo.git", "ssh", "github.com", null, "owner/repo.git"],
    ["ssh://git@host.example:2222/repo", "ssh", "host.example", 2222, "repo"],
    ["git@github.com:owner/repo.git", "ssh", "github.com", null, "owner/repo.git"],
    ["file:///srv/git/tool.git", "file", "", null, "/srv/git/tool.git"],
    ["file:///srv/my%20git/tool", "file", "", null, "/srv/my git/tool"],
  ])("%s", (url, transport, host, port, path) => {
    expect(parseGitUrl(url)).toEqual({ ok: true, value: { url, transport, host, port, path } });
  });

  test.each([
    "ext::sh -c touch% /tmp/x",
    "ext::sh",
    "fd::17",
    "http://github.com/owner/repo",
    "git://github.com/owner/repo",
    "ftp://example.org/x",
    "HTTPS://github.com/owner/repo",
    "/srv/git/tool",
    "./tool",
    "../tool",
    "tool",
    "owner/repo",
    "-oProxyCommand=touch x:y",
    "-oProxyCommand@host:x",
    "git@-oProxyCommand=x:y",
    "git@host:/abs",
    "git@host:-x",
    "git@host:a/../b",
    "ssh://-oProxyCommand=x/y",
    "ssh://git@-host/y",
    "ssh://git@host/",
    "file://host/srv/x",
    "file://relative",
    "file:///srv/../etc",
    "javascript:alert(1)",
  ])("B21: %s is refused", (url) => {
    expect(problemOf(url)).toMatch(/^(?:transport|form)$/u);
  });

  test.each(["--upload-pack=touch x", "-u", "https://example.org/-x", "https://example.org/a/--upload-pack=x"])(
    "B22: %s is refused",
    (url) => {
      expect(problemOf(url)).toBe("form");
    },
  );

  test.each([
    "https://GitHub.com/owner/repo",
    "https://github.com:443/owner/repo",
    "https://github.com/owner//repo",
    "https://github.com/owner/repo/",
    "https://github.com/owner/./repo",
    "https://github.com/owner/../repo",
    "https://github.com/owner/%2e%2e/repo",
    "https://github.com/owner%2Frepo",
    "https://github.com/owner%2frepo",
    "https://github.com/owner/re%00po",
    "https://github.com/owner/re%0Apo",
    "https://github.com/owner/repo%ff",
    "https://github.com\\owner\\repo",
    "https:/github.com/owner/repo",
    "https:///github.com/owner/repo",
    "https://github.com",
    "https://github.com/",
    "https://github.com/owner/repo?x=1",
    "https://github.com/owner/repo?",
    "https://github.com/owner/repo#main",
    "https://github.com/owner/repo#",
    "https://0x7f.1/owner/repo",
    "https://gıthub.com/owner/repo",
    "https://github.com/öwner/repo",
    " https://github.com/owner/repo",
    "https://github.com/owner/repo\n",
    "https://github.com/own\ter/repo",
    "https://github.com/owner/repo\u202e",
    "https://github.com/owner/repo\u0000",
    "https://exa mple.org/x",
    `https://example.org/${"a".repeat(2_000)}`,
    "",
  ])("A20: %j is not in normal form", (url) => {
    expect(problemOf(url)).toBe("form");
  });

  test.each([
    ["https://user:token@github.com/owner/repo", "https://github.com/owner/repo"],
    ["https://token@github.com/owner/repo", "https://github.com/owner/repo"],
    ["ssh://git:secret@github.com/owner/repo", "ssh://github.com/owner/repo"],
  ])("B41: %s carries credentials", (url, suggestion) => {
    expect(parseGitUrl(url)).toMatchObject({ ok: false, problem: { kind: "credentials", suggestion } });
  });

  test("http is refused with the https URL beside it", () => {
    expect(parseGitUrl("http://example.org/a")).toMatchObject({
      ok: false,
      problem: { kind: "transport", suggestion: "https://example.org/a" },
    });
  });

  test("no text is accepted that the URL parser would read in another way, and none throws", () => {
    const pieces = ["https://", "ssh://", "file://", "a", "B", ".", "/", "@", ":", "%2e", "-", "é", "\\", "?"];
    const outcome = fc.check(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
        const text = chosen.join("");
        const result = parseGitUrl(text);
        if (!result.ok || !text.includes("://")) return true;
        return new URL(text).href === text && !result.value.path.split("/").includes("..");
      }),
    );
    expect(outcome.counterexample).toBeNull();
  });
});

describe("sourceKey", () => {
  test.each([
    ["https://github.com/Owner/Repo.git", "github.com/owner/repo"],
    ["https://github.com/owner/repo", "github.com/owner/repo"],
    ["ssh://git@github.com/owner/Repo.git", "github.com/owner/repo"],
    ["git@github.com:owner/repo.git", "github.com/owner/repo"],
    ["https://git.example.org/Owner/Repo.git", "git.example.org/Owner/Repo"],
    ["https://git.example.org:8443/x", "git.example.org:8443/x"],
    ["file:///srv/git/tool.git", "file:/srv/git/tool"],
    ["file:///srv/tool/.git", "file:/srv/tool/.git"],
  ])("%s is %s", (url, key) => {
    expect(sourceKey(url)).toBe(key);
  });

  test("what is no URL has no key", () => {
    expect(sourceKey("owner/repo")).toBeNull();
    expect(sourceKey("https://u:p@github.com/owner/repo")).toBeNull();
  });
});

describe("forgeUrl", () => {
  test.each([
    ["owner/repo", "https://github.com/owner/repo.git"],
    ["Owner/Repo.js.git", "https://github.com/Owner/Repo.js.git"],
    ["owner_corp/re.po-x", "https://github.com/owner_corp/re.po-x.git"],
  ])("%s is %s", (text, url) => {
    expect(forgeUrl(text)).toBe(url);
    expect(parseGitUrl(url).ok).toBe(true);
  });

  test.each([
    "owner",
    "a/b/c",
    "-a/b",
    "a/-b",
    "a/..",
    "a/.",
    "a/.git",
    "../b",
    "./b",
    "/b",
    "a/",
    "a b/c",
    "ä/b",
    "a/b@c",
    "",
  ])("%j is none", (text) => {
    expect(forgeUrl(text)).toBeNull();
  });
});

describe("isRefName", () => {
  test.each(["main", "v1.2.3", "refs/tags/v1.2.3", "feature/x", "release@2", "HEAD"])("%s is one", (ref) => {
    expect(isRefName(ref)).toBe(true);
  });
  test.each([
    "",
    "-f",
    "--orphan=zz",
    "a b",
    "a..b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "/a",
    "a/",
    "a//b",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a.",
    "@",
    "a@{1}",
    "a\u0000",
    "a\n",
    "a\u202e",
  ])("B23: %j is none", (ref) => {
    expect(isRefName(ref)).toBe(false);
  });
});
