import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Ended, ROOT, runIpm } from "../helpers/built-ipm.ts";
import { GitRepository } from "../helpers/git-repository.ts";
import { manifestYaml } from "../helpers/manifests.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const SOURCE = "https://example.org/owner/lineage.git";

interface Step {
  readonly run?: string;
  readonly if?: string;
  readonly "working-directory"?: string;
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      "lint" | "verify",
      { readonly steps: readonly Step[]; readonly permissions?: Readonly<Record<string, string>> }
    >
  >;
}

const TEXT = readFileSync(path.join(ROOT, ".github/workflows/registry.yml"), "utf8");
const WORKFLOW = parse(TEXT) as Workflow;

/** The expressions that the commands hold, as GitHub evaluates them for a pull request. */
function forPullRequest(text: string): string {
  return text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/gu, (_, expression: string) => {
    const choice = /^github\.event_name == 'pull_request' && '([^']*)' \|\| '[^']*'$/u.exec(expression);
    if (choice === null) throw new Error(`an expression that the test does not know: ${expression}`);
    return choice[1] ?? "";
  });
}

/** What a job runs, without the lines that only set a machine up. */
function commandsOf(job: "lint" | "verify"): { run: string; folder: string }[] {
  return WORKFLOW.jobs[job].steps.flatMap((step) => {
    if (step.run === undefined || /^(?:npm ci|sudo apt-get )/u.test(step.run)) return [];
    return [{ run: forPullRequest(step.run), folder: step["working-directory"] ?? "." }];
  });
}

interface Place {
  readonly home: string;
  readonly contribution: GitRepository;
  /** The commit that the contribution is based on. */
  readonly base: string;
  readonly source: GitRepository;
}

const LINEAGE_FILES = {
  "package.json": JSON.stringify({ name: "lineage", version: "1.4.0", license: "MIT", bin: { lineage: "cli.js" } }),
  "cli.js": { run: "#!/usr/bin/env node\nconsole.log('lineage 1.4.0');\n" },
};

/** The two folders of the workflow: ipm and the registry as they are, and the contribution with its history. */
function prepare(): Place {
  const home = temporaryFolder();
  const source = new GitRepository(path.join(home, "source"));
  source.commit(LINEAGE_FILES);
  source.tag("v1.4.0");
  const base = path.join(home, "base");
  const before = {
    "registry.yaml": "id: ours\nname: Ours\nmaintainers: [octocat]\n",
    "packages/ripcat/manifest.yaml": manifestYaml(),
  };
  for (const [file, text] of Object.entries(before)) {
    mkdirSync(path.dirname(path.join(base, "registry", file)), { recursive: true });
    writeFileSync(path.join(base, "registry", file), text);
  }
  for (const folder of ["bin", "dist"]) symlinkSync(path.join(ROOT, folder), path.join(base, folder));
  const contribution = new GitRepository(path.join(home, "contribution"));
  contribution.commit(Object.fromEntries(Object.entries(before).map(([file, text]) => [`registry/${file}`, text])));
  writeFileSync(
    path.join(home, ".gitconfig"),
    `[url "file://${source.folder}"]\n\tinsteadOf = ${SOURCE}\n[url "file://${home}/nowhere"]\n\tinsteadOf = https://github.com/owner/\n`,
  );
  return { home, contribution, base: contribution.commitOf("HEAD"), source };
}

/** Run a job's commands one after the other, as its runner does: the first failure ends it. */
async function runJob(place: Place, job: "lint" | "verify"): Promise<Ended> {
  let last: Ended = { exitCode: 0, signal: null, stdout: "", stderr: "" };
  let stdout = "";
  for (const { run, folder } of commandsOf(job)) {
    last = await runIpm(["-c", run], {
      home: place.home,
      cwd: path.join(place.home, folder),
      program: ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
      env: { BASE: place.base, CI: "true", GITHUB_ACTIONS: "true" },
    });
    stdout += last.stdout;
    if (last.exitCode !== 0) break;
  }
  return { ...last, stdout };
}

let place: Place;
beforeEach(() => {
  place = prepare();
});

function lineage(): string {
  const pin = `commit: ${place.source.commitOf("v1.4.0")}, tree: ${place.source.treeOf("v1.4.0")}`;
  return `schema: ipm/v1\nname: lineage\nsummary: Print where each line came from\nlicense: MIT\nsource: { git: ${SOURCE} }\nversions:\n  - { version: 1.4.0, ref: refs/tags/v1.4.0, ${pin} }\nsteps:\n  - { uses: npm }\nbin: [lineage]\ntests:\n  - { run: lineage, expect: { stdout: "^lineage {version}$" } }\n`;
}

test("no job may write, and none sees a secret", () => {
  expect(WORKFLOW.permissions).toEqual({ contents: "read" });
  for (const { permissions } of Object.values(WORKFLOW.jobs))
    expect(permissions ?? { contents: "read" }).toEqual({ contents: "read" });
  expect(TEXT).not.toMatch(/\$\{\{[^}]*\bsecrets\b|pull_request_target/u);
  // What is run comes from the base, and nothing of the contribution is pasted into a command.
  for (const job of ["lint", "verify"] as const)
    for (const { run } of commandsOf(job))
      expect(run).toMatch(/^node \.\.\/base\/bin\/ipm\.cjs [^$]*(?:"\$BASE"[^$]*)?$/u);
  expect(WORKFLOW.jobs.verify.steps.find((step) => step.if?.includes("push"))?.if).toBe(
    "github.event_name == 'push' && github.ref == 'refs/heads/main'",
  );
});

describe("the commands of the workflow, as they stand in it", () => {
  test("a new entry is told from the others, found well formed, and verified", async () => {
    place.contribution.commit({ "registry/packages/lineage/manifest.yaml": lineage() });
    const linted = await runJob(place, "lint");
    expect(linted).toMatchObject({ exitCode: 0 });
    expect(linted.stdout).toMatch(/lineage new: a new entry/u);
    expect(linted.stdout).not.toContain("ripcat ");
    const verified = await runJob(place, "verify");
    expect(verified).toMatchObject({ exitCode: 0 });
    expect(readdirSync(path.join(place.home, "attestations"), { recursive: true }).join("\n")).toMatch(
      /1\.4\.0\..*\.json/u,
    );
  }, 120_000);

  test.each<[string, string, Readonly<Record<string, string | null>>]>([
    [
      "a bump",
      "bump",
      {
        versions:
          "versions:\n  - { version: 2.11, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }\n  - { version: 2.10, ref: refs/tags/v2.10, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }",
      },
    ],
    ["other steps", "steps", { steps: "steps: [uses: cargo]" }],
    ["another maintainer", "maintainers", { maintainers: "maintainers: [somebody]" }],
    ["another source", "source", { source: "source: { git: https://github.com/owner/other.git }" }],
  ])("%s has the tier %s", async (_, tier, change) => {
    place.contribution.commit({ "registry/packages/ripcat/manifest.yaml": manifestYaml(change) });
    const { stdout } = await runJob(place, "lint");
    expect(stdout).toContain(`ripcat ${tier}: `);
  });

  test("an attestation in a contribution, and a manifest that is not formatted, end the job", async () => {
    const file = "registry/packages/ripcat/attestations/2.10.linux-x64-glibc.json";
    place.contribution.commit({ [file]: "{}" });
    const brought = await runJob(place, "lint");
    expect(brought.exitCode).toBe(3);
    expect(brought.stdout).toContain("ATTESTATION_CONTRIBUTED");
    place.contribution.commit({
      [file]: null,
      "registry/packages/lineage/manifest.yaml": lineage().replace("{ uses: npm }", "{   uses: npm   }"),
    });
    const untidy = await runJob(place, "lint");
    expect(untidy.exitCode).not.toBe(0);
  });
});
