import { expect, test } from "vitest";
import { isUsableGit, parseGitVersion, programFolders } from "../../../src/host/git.ts";

test.each([
  ["git version 2.39.5\n", "2.39.5"],
  ["git version 2.39.5 (Apple Git-154)\n", "2.39.5"],
  ["git version 2.50.1.windows.1\n", "2.50.1"],
  ["git version 2.51.GIT\n", "2.51"],
  ["hub version 2.14\n", undefined],
  ["", undefined],
])("parseGitVersion %j: %s", (text, version) => {
  expect(parseGitVersion(text)).toBe(version);
});

test.each([
  ["2.39.0", true],
  ["2.40", true],
  ["3.0.0", true],
  ["2.38.9", false],
  ["1.99.0", false],
])("B43: isUsableGit %s: %s", (version, usable) => {
  expect(isUsableGit(version)).toBe(usable);
});

test("programs are looked for in the system's folders first, never in ipm's own or in relative ones", () => {
  const folders = programFolders({
    os: "linux",
    searchPath:
      "/home/me/.local/share/ipm/current/bin:.::bin:/opt/tools/bin:/usr/bin:/home/me/.local/share/ipm/../ipm/x",
    ownFolder: "/home/me/.local/share/ipm",
  });
  expect(folders).toEqual(["/usr/bin", "/bin", "/usr/local/bin", "/opt/tools/bin"]);
});
