import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { tierOfChange } from "../../../src/manifest/change-tier.ts";
import { bump } from "../../../src/usecases/bump.ts";
import { createContext } from "../../helpers/bare-context.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { DIGITS, manifestOf, manifestYaml } from "../../helpers/manifests.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const URL_OF_SOURCE = "https://example.org/owner/ripcat.git";

function prepared(): { home: string; repository: GitRepository; file: string; before: string } {
  const home = temporaryFolder();
  const repository = new GitRepository(path.join(home, "source"));
  repository.commit({ a: "a" });
  repository.tag("v2.10");
  writeFileSync(path.join(home, ".gitconfig"), `[url "file://${repository.folder}"]\n\tinsteadOf = ${URL_OF_SOURCE}\n`);
  const before = manifestYaml({
    source: `source: { git: ${URL_OF_SOURCE} }`,
    versions: `versions: # newest first\n  # the first one here\n  - { version: 2.10, ref: refs/tags/v2.10, commit: ${DIGITS}, tree: ${DIGITS} }`,
  });
  const file = path.join(home, "ripcat.yaml");
  writeFileSync(file, before);
  return { home, repository, file, before };
}

test("the newest release is added above the others, and nothing else changes", async () => {
  const { home, repository, file, before } = prepared();
  repository.commit({ b: "b" });
  repository.tag("v2.11", { annotated: true });
  const result = await bump(createContext(home), "ripcat", null, false);
  const [commit, tree] = [repository.commitOf("v2.11"), repository.treeOf("v2.11")];
  expect(result).toMatchObject({ from: "2.10", added: { version: "2.11", commit, tree }, tier: "bump", written: true });
  const added = new RegExp(
    `^ {2}- \\{ version: 2\\.11, ref: refs/tags/v2\\.11, commit: ${commit}, tree: ${tree}, added: \\d{4}-\\d{2}-\\d{2} \\}\n`,
    "mu",
  );
  const after = readFileSync(file, "utf8");
  expect(after).toMatch(added);
  expect(after.replace(added, "")).toBe(before);
});

test("without a newer release nothing is written; --dry-run writes nothing either", async () => {
  const { home, repository, file, before } = prepared();
  expect(await bump(createContext(home), "ripcat", null, false)).toMatchObject({ added: null, written: false });
  repository.commit({ b: "b" });
  repository.tag("v2.11");
  expect(await bump(createContext(home), "ripcat", null, true)).toMatchObject({
    added: { version: "2.11" },
    written: false,
  });
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("a version can be named, and one without a tag or that is there already is refused", async () => {
  const { home, repository, file } = prepared();
  repository.commit({ b: "b" });
  repository.tag("v2.9.1");
  await expect(bump(createContext(home), "ripcat", "9.9", false)).rejects.toMatchObject({ code: "VERSION_NOT_FOUND" });
  await expect(bump(createContext(home), "ripcat", "2.10", false)).rejects.toMatchObject({ code: "VERSION_NOT_FOUND" });
  await bump(createContext(home), "ripcat", "2.9.1", false);
  expect(manifestOf(readFileSync(file, "utf8")).versions.map(({ version }) => version)).toEqual(["2.10", "2.9.1"]);
});

test("the tier tells a bump from everything that needs more review", () => {
  const base = manifestOf(manifestYaml());
  const two = `versions:\n  - { version: 2.11, commit: ${DIGITS}, tree: ${DIGITS} }\n  - { version: 2.10, ref: refs/tags/v2.10, commit: ${DIGITS}, tree: ${DIGITS} }`;
  const tier = (change: Record<string, string>): string => tierOfChange(base, manifestOf(manifestYaml(change)));
  expect(tierOfChange(undefined, base)).toBe("new");
  expect(tier({})).toBe("none");
  expect(tier({ summary: "summary: Other words" })).toBe("prose");
  expect(tier({ versions: two })).toBe("bump");
  expect(tier({ versions: two, steps: "steps: [uses: cargo]" })).toBe("steps");
  expect(tier({ versions: two.replace("2.10, ref", "2.1, ref") })).toBe("source");
  expect(tier({ versions: two, source: "source: { git: https://github.com/other/ripcat.git }" })).toBe("source");
  expect(tier({ steps: "steps: [uses: cargo]\nmaintainers: [octocat]" })).toBe("maintainers");
});
