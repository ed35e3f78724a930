import { expect, test } from "vitest";
import { isCommitSha, isTreeSha } from "../../../src/core/ids.ts";
import { completeRepositoryManifest } from "../../../src/manifest/complete-repository-manifest.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { resolveManifest } from "../../../src/manifest/resolve-manifest.ts";
import { bytesOf, DIGITS, manifestYaml } from "../../helpers/manifests.ts";

const LINUX = { os: "linux", arch: "x64", libc: "glibc" } as const;

function own() {
  const result = parseManifest(bytesOf(manifestYaml({ source: null, versions: null })), "ipm.yaml", {
    kind: "repository",
  });
  if (!result.ok || !isCommitSha(DIGITS) || !isTreeSha(DIGITS)) throw new Error("the example is valid");
  return { source: result.manifest, commit: DIGITS, tree: DIGITS } as const;
}

test("the target gives source and version, and the result resolves", () => {
  const { source, ...pin } = own();
  const completed = completeRepositoryManifest(source, {
    git: "https://github.com/o/r.git",
    version: null,
    ref: "refs/heads/main",
    ...pin,
  });
  expect(resolveManifest(completed, { version: "0.0.0-123456789012", method: null, platform: LINUX })).toMatchObject({
    homepage: "https://github.com/o/r",
    source: { git: "https://github.com/o/r.git", bundle: null },
    version: { version: "0.0.0-123456789012", ref: "refs/heads/main", commit: DIGITS, tree: DIGITS },
  });
});

test("a version tag names the version; a folder has no source", () => {
  const { source, ...pin } = own();
  const completed = completeRepositoryManifest(source, { git: null, version: "1.2", ref: null, ...pin });
  expect(resolveManifest(completed, { version: "1.2", method: null, platform: LINUX })).toMatchObject({
    homepage: null,
    source: { git: null, bundle: null },
    version: { version: "1.2", ref: null },
  });
});
