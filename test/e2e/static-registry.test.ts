import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Ended, ROOT, runIpm } from "../helpers/built-ipm.ts";
import { loadedBy } from "../helpers/loaded-by.ts";
import { writeTree } from "../helpers/registry-folder.ts";
import { startStaticServer } from "../helpers/static-server.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

test("a team's registry: built, served as plain files, added, planned from, updated, and offline afterwards", async () => {
  const home = temporaryFolder();
  const team = path.join(home, "team");
  // A real entry with a source of its own, under another id than the registry that ships with ipm.
  cpSync(path.join(ROOT, "registry/packages/lstm-demo"), path.join(team, "packages/lstm-demo"), { recursive: true });
  cpSync(path.join(ROOT, "registry/sources"), path.join(team, "sources"), { recursive: true });
  writeTree(team, { "registry.yaml": "id: team\nname: Team\nmaintainers: [octocat]\n" });
  const ipm = (...words: string[]): Promise<Ended> => runIpm(words, { home });
  expect(await ipm("registry", "build", "team", "--out", "site")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/✔ team: publication 1, 1 entry\n/u) as unknown,
  });
  const server = await startStaticServer(path.join(home, "site"));
  try {
    const added = await ipm("registry", "add", server.url, "--mirror", `${server.url}/mirror`);
    expect(added).toMatchObject({ exitCode: 0 });
    expect(added.stdout).toContain("registry team is in use, with 1 entry");
    expect((await ipm("plan", "team:lstm-demo", "--offline")).stderr).toContain(
      "run the command once without --offline",
    );
    expect(await ipm("plan", "team:lstm-demo")).toMatchObject({ exitCode: 0 });
    expect((await ipm("update")).stdout).toContain("team was up to date");
    writeTree(team, { "packages/lstm-demo/attestations/README.md": "not an attestation\n" });
    expect((await ipm("registry", "build", "team", "--out", "site")).stdout).toContain("is up to date");
    rmSync(path.join(home, "site"), { recursive: true });
    writeFileSync(path.join(home, "site"), "gone");
    const failed = await ipm("update", "--json");
    expect(failed.exitCode).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, error: { code: "FETCH_FAILED" } });
    for (const words of [
      ["show", "team:lstm-demo"],
      ["search", "lsmt"],
      ["plan", "team:lstm-demo", "--offline"],
    ])
      expect([words[0], (await ipm(...words)).exitCode]).toEqual([words[0], 0]);
    // No parser, and nothing that fetches: what was found is shown as the index has it, or as it was checked before.
    const files = ["ipm.cjs", "frequent.cjs", "static.cjs", "configured.cjs"];
    expect(loadedBy(home, ["search", "lstm-demo"])).toEqual({ files: files.toSpliced(2, 0, "search.cjs"), slow: [] });
    const shown = await ipm("show", "team:lstm-demo");
    expect(loadedBy(home, ["show", "team:lstm-demo"])).toEqual({ files, slow: [] });
    const checked = path.join(home, ".cache/ipm/registries/team/checked/lstm-demo.json");
    for (const text of [readFileSync(checked, "utf8").slice(0, -100), "", "{}"]) {
      writeFileSync(checked, text);
      expect(await ipm("show", "team:lstm-demo")).toEqual(shown);
    }
  } finally {
    await server.close();
  }
});
