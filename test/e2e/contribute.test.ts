import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Ended, runIpm } from "../helpers/built-ipm.ts";
import { GitRepository, runGit } from "../helpers/git-repository.ts";
import { manifestYaml } from "../helpers/manifests.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const SOURCE = "https://example.org/owner/lineage.git";

/** A tool that is in no registry, with a release and a commit after it. */
function toolRepository(folder: string): GitRepository {
  const repository = new GitRepository(folder);
  repository.commit({
    "package.json": JSON.stringify({
      name: "lineage",
      version: "1.4.0",
      description: "Print where each line of a text came from",
      license: "MIT",
      bin: { lineage: "cli.js" },
    }),
    "cli.js": {
      run: "#!/usr/bin/env node\nif (process.argv[2] !== '--version') process.exit(2);\nconsole.log('lineage 1.4.0');\n",
    },
    LICENSE: "MIT License\n",
    "README.md": "# lineage\n\n```\nnpm install -g lineage\n```\n",
  });
  repository.tag("v1.4.0");
  repository.commit({ "notes.txt": "not released" });
  return repository;
}

/** A contributor's checkout of a registry, with a fork to push to. */
function registryCheckout(home: string): GitRepository {
  const fork = path.join(home, "fork.git");
  runGit(home, ["init", "-q", "--bare", "-b", "main", fork]);
  const checkout = new GitRepository(path.join(home, "tools"));
  checkout.commit({ "registry.yaml": "id: ours\nname: Ours\nmaintainers: [octocat]\n" });
  checkout.git("remote", "add", "origin", fork);
  checkout.git("push", "-q", "origin", "main");
  checkout.git("remote", "set-head", "origin", "main");
  return checkout;
}

test("a new contributor: init, verify, lint, install, publish --dry-run, without an edit", async () => {
  const home = temporaryFolder();
  const repository = toolRepository(path.join(home, "upstream"));
  const checkout = registryCheckout(home);
  writeFileSync(
    path.join(home, ".gitconfig"),
    `[user]\n\tname = Test\n\temail = test@example.org\n[url "file://${repository.folder}"]\n\tinsteadOf = ${SOURCE}\n`,
  );
  const ipm = (...words: string[]): Promise<Ended> => runIpm(words, { home, cwd: checkout.folder });

  const drafted = await ipm("init", SOURCE, "--verify");
  expect(drafted).toMatchObject({ exitCode: 0 });
  expect(drafted.stdout).toContain("npm passed");
  expect(drafted.stdout).toContain("written to packages/lineage/manifest.yaml");
  // As wide as a terminal: nothing runs over.
  expect(drafted.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  const file = path.join(checkout.folder, "packages/lineage/manifest.yaml");
  const text = readFileSync(file, "utf8");
  expect(text).toContain(`commit: ${repository.commitOf("v1.4.0")}`);
  expect(text).toContain('- { run: lineage --version, expect: { output: "^lineage {version}$" } }');

  expect(await ipm("fmt", "packages/lineage")).toMatchObject({ exitCode: 0 });
  expect(readFileSync(file, "utf8")).toBe(text);
  expect(await ipm("lint", "packages/lineage")).toMatchObject({ exitCode: 0 });

  // Verified on this machine a moment ago, exactly as it is written: nothing is asked.
  const installed = await ipm("install", "./packages/lineage/manifest.yaml");
  expect(installed).toMatchObject({ exitCode: 0 });
  const launcher = path.join(home, ".local/share/ipm/current/bin/lineage");
  expect(await runIpm(["--version"], { home, program: [launcher] })).toMatchObject({ stdout: "lineage 1.4.0\n" });

  const shown = await ipm("publish", "lineage", "--dry-run");
  expect(shown).toMatchObject({ exitCode: 0 });
  expect(shown.stdout).toContain("feat(registry): add lineage 1.4.0");
  expect(shown.stdout).toMatch(/Verified on the contributor's machine .*\n {2}- npm on /u);
  expect(shown.stdout).toContain("nothing was done");
  expect(checkout.git("branch", "--show-current")).toBe("main");
  expect(checkout.git("status", "--short", "--untracked-files=all")).toBe("?? packages/lineage/manifest.yaml");
}, 120_000);

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number; readonly startColumn: number; readonly endColumn: number };
        };
      }[];
    }[];
  }[];
}

test("lint's findings as SARIF, on stdout and in a file, for the lines of a pull request", async () => {
  const home = temporaryFolder();
  const name = "my tools/rip#cat.yaml";
  mkdirSync(path.join(home, "my tools"));
  writeFileSync(path.join(home, name), manifestYaml({ license: "license: MTI", tests: null }));
  const printed = await runIpm(["lint", name, "--offline", "--format", "sarif", "--sarif", "lint.sarif"], { home });
  expect(printed.exitCode).toBe(3);
  expect(JSON.parse(readFileSync(path.join(home, "lint.sarif"), "utf8"))).toEqual(JSON.parse(printed.stdout));

  const sarif = JSON.parse(printed.stdout) as Sarif;
  expect(sarif.version).toBe("2.1.0");
  const [run] = sarif.runs;
  expect(run?.tool.driver.name).toBe("ipm lint");
  expect(run?.results.map(({ ruleId, level }) => `${level} ${ruleId}`)).toEqual(
    expect.arrayContaining(["error NO_TEST", "warning LICENSE_UNKNOWN"]),
  );
  for (const { ruleId, ruleIndex, locations } of run?.results ?? []) {
    expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    expect(locations[0]?.physicalLocation.artifactLocation.uri).toBe("my%20tools/rip%23cat.yaml");
  }
  const license = run?.results.find(({ ruleId }) => ruleId === "LICENSE_UNKNOWN");
  expect(license?.locations[0]?.physicalLocation.region).toMatchObject({ startLine: 4 });

  const wrong = await runIpm(["lint", name, "--offline", "--format", "xml"], { home });
  expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
});
