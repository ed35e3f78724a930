import { describe, expect, test } from "vitest";
import {
  type GitAccess,
  buildGitConfig,
  localPathOf,
  parseGitSettings,
  rewriteUrl,
  transportOf,
} from "../../../src/source/git-config.ts";

const ACCESS: GitAccess = { transports: ["https"], safeDirectories: [], credentials: false, stallSeconds: 30 };

describe("parseGitSettings", () => {
  test("reads entries, values with line feeds and variables without a value", () => {
    expect(parseGitSettings("a.b\nc\0url.https://x/.insteadof\ny\nz\0core.bare\0")).toEqual([
      { key: "a.b", value: "c" },
      { key: "url.https://x/.insteadof", value: "y\nz" },
      { key: "core.bare", value: null },
    ]);
  });
});

describe("rewriteUrl", () => {
  const settings = parseGitSettings(
    [
      "url.https://mirror.example/.insteadof\nhttps://git.example/",
      "url./srv/mirror/.insteadof\nhttps://git.example/team/",
      "url.ssh://git@push.example/.pushinsteadof\nhttps://git.example/",
      "url.nowhere.insteadof\n",
      "url.x.insteadof",
    ].join("\0"),
  );

  test.each([
    ["https://git.example/a/b.git", "https://mirror.example/a/b.git"],
    ["https://git.example/team/b.git", "/srv/mirror/b.git"],
    ["https://other.example/a", "https://other.example/a"],
    ["https://git.example.evil/a", "https://git.example.evil/a"],
  ])("%s becomes %s", (url, expected) => {
    expect(rewriteUrl(url, settings)).toEqual({ url: expected, rewritten: url !== expected });
  });
});

describe("transportOf", () => {
  test.each([
    ["https://x/y", "https"],
    ["http://x/y", "http"],
    ["ssh://x/y", "ssh"],
    ["git@x:y", "ssh"],
    ["x:y", "ssh"],
    ["file:///x", "file"],
    ["/x/y", "file"],
    ["git://x/y", null],
    ["ext::sh -c x", null],
    ["ext::x://y", null],
    ["https::x", null],
    ["-x:y", null],
    ["relative/path", null],
  ])("%s is %s", (url, transport) => {
    expect(transportOf(url)).toBe(transport);
  });
});

test("localPathOf decodes file URLs", () => {
  expect(localPathOf("file:///srv/my%20git")).toBe("/srv/my git");
  expect(localPathOf("/srv/x%20y")).toBe("/srv/x%20y");
});

describe("buildGitConfig", () => {
  const settings = parseGitSettings(
    [
      "http.proxy\nhttp://proxy.example:3128",
      "http.https://git.example/.sslcainfo\n~/ca.pem",
      "http.https://git.example/.sslcapath\n/etc/ca",
      "http.sslverify\nfalse",
      "http.extraheader\nAuthorization: secret",
      "http.cookiefile\n/home/x/cookies",
      "credential.helper\nstore",
      "credential.https://git.example.username\nme",
      "core.fsmonitor\n/trap",
      "core.sshcommand\n/trap",
      "include.path\n/trap",
      "alias.fetch\n!trap",
      "protocol.ext.allow\nalways",
      "url.x.insteadof\ny",
    ].join("\0"),
  );

  test("takes proxies and certificate authorities, and nothing else, for a public source", () => {
    const text = buildGitConfig(ACCESS, settings, "/home/me");
    expect(text).toContain('[http]\n\tproxy = "http://proxy.example:3128"\n');
    expect(text).toContain('[http "https://git.example/"]\n\tsslcainfo = "/home/me/ca.pem"\n');
    expect(text).toContain('[http "https://git.example/"]\n\tsslcapath = "/etc/ca"\n');
    for (const left of ["sslverify", "secret", "cookies", "store", "username", "trap", "ext", "insteadof"]) {
      expect(text.toLowerCase()).not.toContain(left);
    }
  });

  test("takes credential helpers for a source that the user named", () => {
    const text = buildGitConfig({ ...ACCESS, credentials: true }, settings, "/home/me");
    expect(text).toContain('[credential]\n\thelper = "store"\n');
    expect(text).toContain('[credential "https://git.example"]\n\tusername = "me"\n');
    // The empty helper before it takes away what came from elsewhere.
    expect(text.indexOf('helper = ""')).toBeLessThan(text.indexOf('helper = "store"'));
  });

  test("allows exactly the transports of the call", () => {
    const text = buildGitConfig({ ...ACCESS, transports: ["file"], safeDirectories: ["/srv/my git"] }, [], "/");
    expect(text.match(/\[protocol[^\]]*\]\n\tallow = \w+/gu)).toEqual([
      "[protocol]\n\tallow = never",
      '[protocol "file"]\n\tallow = always',
    ]);
    expect(text).toContain('[safe]\n\tdirectory = "/srv/my git"\n');
  });

  test("a value cannot end its line or its quotes", () => {
    const evil = parseGitSettings('http.proxy\nx"\n[core]\n\tfsmonitor = /trap\\');
    const text = buildGitConfig(ACCESS, evil, "/");
    expect(text).toContain('\tproxy = "x\\"\\n[core]\\n\\tfsmonitor = /trap\\\\"\n');
    expect(text.match(/^\[core\]$/gmu)).toHaveLength(1);
  });
});
