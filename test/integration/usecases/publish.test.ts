import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { PublishOptions } from "../../../src/usecases/publish.ts";
import { publish } from "../../../src/usecases/publish.ts";
import { createContext } from "../../helpers/bare-context.ts";
import { GitRepository, runGit } from "../../helpers/git-repository.ts";
import { DIGITS, manifestYaml } from "../../helpers/manifests.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const OPTIONS: PublishOptions = { dryRun: true, yes: false, remote: null };
const MANIFEST = "registry/packages/ripcat/manifest.yaml";
const TWO = manifestYaml({
  versions: `versions:\n  - { version: 2.11, ref: refs/tags/v2.11, commit: ${DIGITS}, tree: ${DIGITS} }\n  - { version: 2.10, ref: refs/tags/v2.10, commit: ${DIGITS}, tree: ${DIGITS} }`,
});

interface Prepared {
  readonly home: string;
  readonly checkout: GitRepository;
  readonly fork: string;
}

/** A contributor's checkout of a registry that is a folder of its repository, with a fork to push to. */
function prepared(): Prepared {
  const home = temporaryFolder();
  const fork = path.join(home, "fork.git");
  runGit(home, ["init", "-q", "--bare", "-b", "main", fork]);
  const checkout = new GitRepository(path.join(home, "checkout"));
  checkout.commit({
    "registry/registry.yaml": "id: ours\nname: Ours\nmaintainers: [octocat]\n",
    [MANIFEST]: manifestYaml(),
  });
  checkout.git("remote", "add", "origin", fork);
  checkout.git("push", "-q", "origin", "main");
  checkout.git("remote", "set-head", "origin", "main");
  writeFileSync(path.join(home, ".gitconfig"), "[user]\n\tname = Test\n\temail = test@example.org\n");
  return { home, checkout, fork };
}

function contextIn({ home, checkout }: Prepared, path_ = "/usr/bin:/bin"): ReturnType<typeof createContext> {
  const context = createContext(home, { PATH: path_ });
  return { ...context, host: { ...context.host, facts: { ...context.host.facts, cwd: checkout.folder } } };
}

test("a bump becomes a branch with one commit of this entry alone, pushed to the fork", async () => {
  const place = prepared();
  place.checkout.write({ [MANIFEST]: TWO, "registry/packages/other/manifest.yaml": "unfinished", "notes.txt": "mine" });
  const shown = await publish(contextIn(place), "ripcat", OPTIONS);
  expect(shown).toMatchObject({
    tier: "bump",
    branch: "ipm/ripcat-2.11",
    files: ["packages/ripcat/manifest.yaml"],
    done: false,
  });
  expect(shown.subject).toBe("chore(registry): bump ripcat to 2.11");
  expect(place.checkout.git("branch", "--show-current")).toBe("main");

  const done = await publish(contextIn(place), "ripcat", { ...OPTIONS, dryRun: false, yes: true });
  expect(done.done).toBe(true);
  expect(runGit(place.fork, ["log", "--format=%s", "-1", "ipm/ripcat-2.11"]).toString().trim()).toBe(shown.subject);
  expect(runGit(place.fork, ["diff", "--name-only", "main", "ipm/ripcat-2.11"]).toString().trim()).toBe(MANIFEST);
  expect(place.checkout.git("status", "--short")).toContain("notes.txt");
});

test("nobody to ask and no --yes: nothing is done", async () => {
  const place = prepared();
  place.checkout.write({ [MANIFEST]: TWO });
  await expect(publish(contextIn(place), "ripcat", { ...OPTIONS, dryRun: false })).rejects.toMatchObject({
    code: "USAGE",
  });
  expect(place.checkout.git("branch", "--list", "ipm/*")).toBe("");
});

test("an attestation is refused, and so is a manifest with errors, and nothing to publish", async () => {
  const place = prepared();
  await expect(publish(contextIn(place), "ripcat", OPTIONS)).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
  place.checkout.write({ "registry/packages/ripcat/attestations/2.10.linux-x64-glibc.json": "{}" });
  await expect(publish(contextIn(place), "ripcat", OPTIONS)).rejects.toMatchObject({
    code: "REGISTRY_INVALID",
    message: expect.stringContaining("attestation") as string,
  });
  place.checkout.write({
    "registry/packages/ripcat/attestations/2.10.linux-x64-glibc.json": null,
    [MANIFEST]: manifestYaml({ tests: null }),
  });
  await expect(publish(contextIn(place), "ripcat", OPTIONS)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
});

test("a new entry is a new tier; a file outside of a registry says where it belongs", async () => {
  const place = prepared();
  place.checkout.write({
    "registry/packages/unlike/manifest.yaml": manifestYaml({ name: "name: unlike" }),
    "lone.yaml": manifestYaml({ name: "name: lone" }),
  });
  expect(await publish(contextIn(place), "unlike", OPTIONS)).toMatchObject({
    tier: "new",
    subject: "feat(registry): add unlike 2.10",
  });
  await expect(publish(contextIn(place), "lone", OPTIONS)).rejects.toMatchObject({ code: "REGISTRY_INVALID" });
});

test("with gh the pull request is opened by it, with the same words", async () => {
  const place = prepared();
  const bin = path.join(place.home, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "gh"), `#!/bin/sh\nprintf '%s\\n' "$@" > "${place.home}/gh.txt"\n`, { mode: 0o755 });
  place.checkout.write({ [MANIFEST]: TWO });
  const done = await publish(contextIn(place, `${bin}:/usr/bin:/bin`), "ripcat", {
    ...OPTIONS,
    dryRun: false,
    yes: true,
  });
  expect(done.page).toBeNull();
  const { readFileSync } = await import("node:fs");
  expect(readFileSync(path.join(place.home, "gh.txt"), "utf8")).toContain(`create\n--title\n${done.subject}\n--body\n`);
});

test("a fork at a forge: what is pushed arrives there, and the page that opens the pull request is named", async () => {
  const place = prepared();
  place.checkout.git("remote", "set-url", "origin", "https://github.com/someone/tools.git");
  writeFileSync(
    path.join(place.home, ".gitconfig"),
    `[user]\n\tname = Test\n\temail = test@example.org\n[url "file://${place.fork}"]\n\tinsteadOf = https://github.com/someone/tools.git\n`,
  );
  place.checkout.write({ [MANIFEST]: TWO });
  const done = await publish(contextIn(place), "ripcat", { ...OPTIONS, dryRun: false, yes: true });
  expect(done).toMatchObject({ done: true, page: "https://github.com/someone/tools/compare/ipm/ripcat-2.11?expand=1" });
  expect(runGit(place.fork, ["log", "--format=%s", "-1", "ipm/ripcat-2.11"]).toString().trim()).toBe(done.subject);
});
