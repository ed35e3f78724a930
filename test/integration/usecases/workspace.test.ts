import { spawnSync } from "node:child_process";
import {
  chmodSync as chmod,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { isIpmError } from "../../../src/core/errors.ts";
import type { Files } from "../../../src/core/host.ts";
import { doctor } from "../../../src/usecases/doctor.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { history } from "../../../src/usecases/history.ts";
import { hold } from "../../../src/usecases/hold.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { outdated } from "../../../src/usecases/outdated.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { showTool } from "../../../src/usecases/show.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { whichCommand } from "../../../src/usecases/which.ts";
import { OPTIONS, treeText } from "../../helpers/test-ipm.ts";
import { COURSE_URL, type Release, WorkspaceSite } from "../../helpers/workspace-site.ts";

const ONE: Release = {
  version: "1.0.0",
  files: { "README.md": "Week one\n", "notebooks/one.ipynb": "{}\n", ".gitignore": "results/\n*.log\n" },
};
const TWO: Release = { version: "2.0.0", files: { "README.md": "Week two\n", "notebooks/two.ipynb": "{}\n" } };
// What `python` and `npm` do, without them: an environment inside the folder.
const STEPS = `steps:
  - run: |
      mkdir -p env/bin "$IPM_PREFIX/bin"
      printf '#!/bin/sh\\necho "tool %s"\\n' "$IPM_VERSION" > "$IPM_PREFIX/bin/tool"
      chmod 755 "$IPM_PREFIX/bin/tool"
      echo built > env/made
tests:
  - { run: 'tool; cat README.md; git describe --tags', expect: { stdout: "^tool {version}\\nWeek" } }
`;

const at = (site: WorkspaceSite): string => path.join(site.ipm.folder, "course");

test("a workspace is a real clone at the pin with its environment inside, and nothing is on PATH", async () => {
  const site = await WorkspaceSite.open([ONE, TWO], STEPS);
  const result = await install(site.ipm.context, ["course"], OPTIONS);
  expect(result.installed).toMatchObject([
    { name: "course", version: "2.0.0", bins: [], entry: null, workspace: { folder: at(site), state: "ready" } },
  ]);
  expect(result.generation).toBeNull();
  expect(site.git("remote", "get-url", "origin")).toBe(COURSE_URL);
  expect(site.git("describe", "--tags")).toBe("v2.0.0");
  expect(site.git("rev-parse", "HEAD")).toBe(site.upstream.commitOf("v2.0.0"));
  // Git shows nothing of what the steps made, and nothing of the user's is hidden.
  expect(site.git("status", "--porcelain")).toBe("");
  writeFileSync(site.path("mine.txt"), "");
  expect(site.git("status", "--porcelain")).toBe("?? mine.txt");
  expect(readFileSync(site.path("env/made"), "utf8")).toBe("built\n");
  expect(existsSync(path.join(site.ipm.layout.store, "course"))).toBe(false);
  expect(existsSync(path.join(site.ipm.layout.current, "bin"))).toBe(false);
  // Only what it knows of it stays in the data home.
  expect(readdirSync(path.join(site.ipm.layout.workspaces, "course"))).toEqual(["workspace.json"]);
});

test("list, show, which, doctor, outdated and history know it; gc leaves it alone", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  expect(await listTools(context)).toMatchObject([{ name: "course", workspace: { folder: at(site) } }]);
  expect((await showTool(context, "course")).installed?.workspace?.folder).toBe(at(site));
  expect(await whichCommand(context, "course")).toMatchObject({ target: at(site), launcher: null });
  expect(await whichCommand(context, "tool")).toMatchObject({ run: "ipm run course -- tool", tool: "course" });
  expect((await doctor(context, { name: "course", fix: false })).healthy).toBe(true);
  await site.release(TWO);
  expect((await outdated(context)).tools).toMatchObject([{ name: "course", version: "1.0.0", latest: "2.0.0" }]);
  expect(await history(context)).toMatchObject([
    { number: null, workspace: at(site), changes: [{ name: "course", from: null, to: "1.0.0" }] },
  ]);
  const before = treeText(at(site));
  await collectGarbage(context, { keep: 0, dryRun: false });
  expect(treeText(at(site))).toEqual(before);
  expect(await listTools(context)).toHaveLength(1);
  // A second time it is there already.
  expect((await install(context, ["course"], OPTIONS)).unchanged).toMatchObject([{ name: "course", newer: "2.0.0" }]);
});

test("a plan and a dry run name the folder and change nothing", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { plans } = await planTargets(site.ipm.context, ["course"], OPTIONS);
  expect(plans[0]?.workspace).toEqual({ folder: at(site), remote: COURSE_URL });
  const dry = await install(site.ipm.context, ["course"], { ...OPTIONS, dryRun: true, into: "elsewhere/deep" });
  expect(dry.plans[0]?.workspace?.folder).toBe(path.join(site.ipm.folder, "elsewhere/deep"));
  expect(dry.plans[0]?.digest).toBe(plans[0]?.digest);
  expect(existsSync(at(site))).toBe(false);
  expect(existsSync(path.join(site.ipm.folder, "elsewhere"))).toBe(false);
});

test.each<[string, (site: WorkspaceSite) => string | undefined]>([
  ["not empty", (site) => (mkdirSync(path.join(at(site), "x"), { recursive: true }), undefined)],
  ["a file", (site) => (writeFileSync(at(site), ""), undefined)],
  ["a link", (site) => (mkdirSync(`${at(site)}2`), symlinkSync(`${at(site)}2`, at(site)), undefined)],
  ["a link that leads nowhere", (site) => (symlinkSync("nowhere", at(site)), "course/below")],
  ["up again", () => "a/../course"],
  ["ipm's own", (site) => path.join(site.ipm.layout.data, "course")],
  ["holds, ipm's own", (site) => site.folder],
  [
    "everybody may write",
    (site) => (
      mkdirSync(path.join(site.folder, "open")),
      chmod(path.join(site.folder, "open"), 0o777),
      path.join(site.folder, "open/course")
    ),
  ],
  ["no place", () => "/"],
  ["cannot carry", () => "a:b"],
])("a folder is refused: %s", async (why, prepare) => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const into = prepare(site);
  const before = treeText(site.ipm.folder);
  const error: unknown = await install(site.ipm.context, ["course"], {
    ...OPTIONS,
    ...(into === undefined ? {} : { into }),
  }).catch((reason: unknown) => reason);
  expect(isIpmError(error, "FOLDER_UNUSABLE") && error.message).toContain(why);
  expect(await listTools(site.ipm.context)).toEqual([]);
  const shown = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith("ipm/"));
  expect(shown(treeText(site.ipm.folder))).toEqual(shown(before));
});

test("a step that fails leaves the folder as it was, and a log", async () => {
  const site = await WorkspaceSite.open([ONE], "steps: [{ run: 'touch half; exit 3' }]\n");
  mkdirSync(at(site));
  await expect(install(site.ipm.context, ["course"], OPTIONS)).rejects.toMatchObject({ code: "STEP_FAILED" });
  expect(readdirSync(at(site))).toEqual([]);
  expect(await listTools(site.ipm.context)).toEqual([]);
  expect(readdirSync(path.join(site.ipm.layout.logs, "course"))).toHaveLength(1);
  const other = await WorkspaceSite.open([ONE], "steps: [{ run: 'exit 3' }]\n");
  await expect(install(other.ipm.context, ["course"], OPTIONS)).rejects.toMatchObject({ code: "STEP_FAILED" });
  expect(existsSync(at(other))).toBe(false);
});

test("no step and no test can write git's own folder, or put a repository where a submodule belongs", async () => {
  const tries = `steps:
  - run: |
      ! (echo evil >> .git/config)
      ! mkdir .git/hooks
      ! mv .git .git2
      ! rm -rf .git
      ! ln -s /tmp .git/x
tests: [{ run: '! touch .git/hooks2' }]
`;
  const site = await WorkspaceSite.open([ONE], tries);
  await install(site.ipm.context, ["course"], OPTIONS);
  expect(readFileSync(site.path(".git/config"), "utf8")).not.toContain("evil");
  expect(readdirSync(site.path(".git")).toSorted()).toEqual(
    ["HEAD", "config", "index", "info", "ipm", "objects", "refs", "shallow"].toSorted(),
  );
  const planting = "steps: [{ run: 'mkdir -p vendor/x/.git; touch vendor/x/.git/config' }]\n";
  const planted = await WorkspaceSite.open([{ ...ONE, links: { "vendor/x": "a".repeat(40) } }], planting);
  await expect(install(planted.ipm.context, ["course"], OPTIONS)).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  expect(existsSync(at(planted))).toBe(false);
});

const MARK = "hostile";

/** What whoever can write `.git` could have git run: none of it may run by anything that ipm does. */
function plant(site: WorkspaceSite): string {
  const mark = path.join(site.folder, MARK);
  const program = path.join(site.folder, "evil.sh");
  writeFileSync(program, `#!/bin/sh\ntouch ${mark}\ncat\n`, { mode: 0o755 });
  const config = site.path(".git/config");
  writeFileSync(
    config,
    `${readFileSync(config, "utf8")}
[core]
	fsmonitor = ${program}
	hooksPath = ${site.folder}/hooks
	sshCommand = ${program}
	editor = ${program}
	pager = ${program}
[filter "evil"]
	clean = ${program}
	smudge = ${program}
	process = ${program}
	required = true
[diff]
	external = ${program}
[include]
	path = ${site.folder}/more
[alias]
	status = !${program}
`,
  );
  mkdirSync(site.path(".git/hooks"), { recursive: true });
  mkdirSync(path.join(site.folder, "hooks"), { recursive: true });
  for (const hook of ["post-checkout", "post-index-change", "reference-transaction", "post-merge"])
    for (const folder of [site.path(".git/hooks"), path.join(site.folder, "hooks")])
      writeFileSync(path.join(folder, hook), readFileSync(program), { mode: 0o755 });
  writeFileSync(site.path(".git/info/attributes"), "* filter=evil diff=evil\n");
  return mark;
}

test("a hostile .git/config runs nothing: not on upgrade, not on reinstall, not on uninstall", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  const mark = plant(site);
  // The trap works on whoever runs git there without care.
  spawnSync("git", ["status"], { cwd: at(site), env: { PATH: process.env["PATH"] } });
  expect(existsSync(mark)).toBe(true);
  rmSync(mark);
  await reinstall(context, "course", OPTIONS);
  await site.release(TWO);
  await upgrade(context, ["course"], OPTIONS);
  expect(readFileSync(site.path("README.md"), "utf8")).toBe("Week two\n");
  const result = await uninstall(context, ["course"], { purge: false });
  expect(result.workspaces).toMatchObject([{ name: "course", kept: null }]);
  expect(existsSync(at(site))).toBe(false);
  expect(existsSync(mark)).toBe(false);
});

test("upgrade moves a clean workspace to the new version, and prepares its environment again", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  writeFileSync(site.path("mine.txt"), "mine\n");
  await site.release({ version: "2.0.0", files: { ...TWO.files, "notebooks/one.ipynb": null } });
  expect((await upgrade(context, [], OPTIONS)).upgraded).toEqual([{ name: "course", from: "1.0.0", to: "2.0.0" }]);
  expect(site.git("describe", "--tags")).toBe("v2.0.0");
  expect(readdirSync(site.path("notebooks"))).toEqual(["two.ipynb"]);
  // A new file of the user's is in nobody's way, and is still the user's to see.
  expect(site.git("status", "--porcelain")).toBe("?? mine.txt");
  expect(site.git("fsck", "--no-dangling")).toBe("");
  expect((await outdated(context)).tools).toEqual([]);
});

test.each<[string, (site: WorkspaceSite) => void, RegExp]>([
  ["changes", (site) => writeFileSync(site.path("README.md"), "mine\n"), /has changes \(README.md\)/u],
  ["commits", (site) => site.git("commit", "-q", "--allow-empty", "-m", "mine"), /has commits of yours/u],
  ["a file in the way", (site) => writeFileSync(site.path("notebooks/two.ipynb"), "mine\n"), /cannot be moved/u],
  ["a merge", (site) => writeFileSync(site.path(".git/MERGE_HEAD"), "x"), /a merge under way/u],
])("upgrade refuses to touch work of the user's: %s", async (_, work, message) => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  work(site);
  await site.release(TWO);
  const files = (): string[] => treeText(at(site)).filter((line) => !line.startsWith(".git/objects/pack/"));
  const before = files();
  const error: unknown = await upgrade(context, ["course"], OPTIONS).catch((reason: unknown) => reason);
  expect(isIpmError(error, "WORKSPACE_CHANGED") && error.message).toMatch(message);
  expect(isIpmError(error) && error.hint).toMatch(/^git -C /u);
  expect(files()).toEqual(before);
});

test.each<[string, (site: WorkspaceSite) => void, string]>([
  ["a change", (site) => writeFileSync(site.path("README.md"), "mine\n"), "changes (README.md)"],
  ["a new file", (site) => writeFileSync(site.path("mine.txt"), "mine\n"), "files that are in no commit (mine.txt)"],
  [
    "a staged file",
    (site) => (writeFileSync(site.path("m"), ""), site.git("add", "m"), rmSync(site.path("m"))),
    "changes (m)",
  ],
  ["a commit", (site) => site.git("commit", "-q", "--allow-empty", "-m", "mine"), "commits that are not pushed (HEAD)"],
  [
    "a commit on a branch that is not checked out",
    (site) => {
      site.git("checkout", "-q", "-b", "mine");
      site.git("commit", "-q", "--allow-empty", "-m", "mine");
      site.git("checkout", "-q", "v1.0.0");
    },
    "commits that are not pushed (mine)",
  ],
  [
    "a stash",
    (site) => (writeFileSync(site.path("README.md"), "mine\n"), site.git("stash", "-q"), undefined),
    "a stash",
  ],
  [
    "results that git ignores",
    (site) => (mkdirSync(site.path("results")), writeFileSync(site.path("results/run"), "")),
    "files that git ignores (results/)",
  ],
  [
    "a hidden change",
    (site) => (
      site.git("update-index", "--assume-unchanged", "README.md"),
      writeFileSync(site.path("README.md"), "mine\n")
    ),
    "changes (README.md)",
  ],
  [
    "a repository that ipm cannot read",
    (site) => writeFileSync(site.path(".git/HEAD"), "ref: refs/heads/.invalid\n"),
    "cannot be looked at",
  ],
  [
    "another folder",
    (site) => (renameSync(at(site), `${at(site)}2`), mkdirSync(at(site)), undefined),
    "another folder",
  ],
])("uninstall keeps the folder for %s, forgets it and says why", async (_, work, why) => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  work(site);
  const before = treeText(at(site));
  const { workspaces } = await uninstall(context, ["course"], { purge: true });
  expect(workspaces[0]?.kept).toContain(why);
  expect(treeText(at(site))).toEqual(before);
  expect(await listTools(context)).toEqual([]);
});

test("uninstall removes a workspace whose commits were pushed, with what its steps made and caches", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  site.git("config", `url.file://${site.upstream.folder}.insteadOf`, COURSE_URL);
  site.git("checkout", "-q", "-b", "mine");
  writeFileSync(site.path("mine.txt"), "mine\n");
  site.git("add", "mine.txt");
  site.git("commit", "-q", "-m", "mine");
  site.git("push", "-q", "origin", "mine");
  mkdirSync(site.path("env/__pycache__"));
  expect((await uninstall(context, ["course"], { purge: false })).workspaces).toEqual([
    { name: "course", version: "1.0.0", folder: at(site), kept: null },
  ]);
  expect(existsSync(at(site))).toBe(false);
  expect((await history(context)).map(({ changes }) => changes[0]?.to)).toEqual([null, "1.0.0"]);
});

test("a held workspace is not moved, and reinstall prepares it again with the user's changes in it", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  expect((await hold(context, ["course"], true)).tools).toEqual([{ name: "course", version: "1.0.0", held: true }]);
  await site.release(TWO);
  expect((await upgrade(context, [], OPTIONS)).held).toEqual(["course"]);
  await expect(upgrade(context, ["course"], OPTIONS)).rejects.toMatchObject({ code: "HELD" });
  writeFileSync(site.path("README.md"), "Week mine\n");
  rmSync(site.path("env"), { recursive: true });
  await reinstall(context, "course", OPTIONS);
  expect(readFileSync(site.path("env/made"), "utf8")).toBe("built\n");
  expect(readFileSync(site.path("README.md"), "utf8")).toBe("Week mine\n");
});

test("what a workspace was given, and which of its optional steps were taken, holds for what comes later", async () => {
  const steps = `inputs: [{ env: COURSE_GROUP, why: the group that you are in }]
steps:
  - { run: 'mkdir -p env; echo "$COURSE_GROUP" > env/group' }
  - { run: touch env/answers, why: for teachers, optional: true }
`;
  const site = await WorkspaceSite.open([ONE], steps);
  const { context } = site.ipm;
  await install(context, ["course"], { ...OPTIONS, set: { COURSE_GROUP: "blue" } });
  expect(existsSync(site.path("env/answers"))).toBe(false);
  rmSync(site.path("env"), { recursive: true });
  await reinstall(context, "course", { ...OPTIONS, yes: true });
  expect(readFileSync(site.path("env/group"), "utf8")).toBe("blue\n");
  expect(existsSync(site.path("env/answers"))).toBe(false);
});

test("an interrupted preparation is said by the next command, and install begins anew in the same folder", async () => {
  let dies = true;
  const site = await WorkspaceSite.open([ONE], STEPS, {
    checkpoint: (name) => {
      if (dies && name === "workspace.cloned") throw new Error("killed");
    },
  });
  const { context } = site.ipm;
  const writing = context.host.files.remove.bind(context.host.files);
  // Killed: nothing is tidied up behind it.
  const files = {
    ...context.host.files,
    remove: (file: string) => (dies && file.startsWith(at(site)) ? Promise.reject(new Error("dead")) : writing(file)),
  };
  const dead = { ...context, host: { ...context.host, files } };
  await expect(install(dead, ["course"], OPTIONS)).rejects.toThrow("dead");
  dies = false;
  expect(await listTools(context)).toMatchObject([{ name: "course", workspace: { state: "unfinished" } }]);
  expect((await doctor(context, { name: "course", fix: false })).checks[0]).toMatchObject({
    status: "failed",
    fix: "ipm install course",
  });
  // Nobody can set the time of a change: it is as if the user had begun to work there an hour after.
  const facts = async (file: string): ReturnType<Files["facts"]> => {
    const found = await context.host.files.facts(file);
    return found !== undefined && file.endsWith("/mine.txt")
      ? { ...found, changedMs: found.changedMs + 3_600_000 }
      : found;
  };
  const later = { ...context, host: { ...context.host, files: { ...context.host.files, facts } } };
  writeFileSync(site.path("mine.txt"), "an idea");
  const holds = expect.stringContaining("files that came later (mine.txt)");
  await expect(install(later, ["course"], OPTIONS)).rejects.toMatchObject({
    code: "WORKSPACE_CHANGED",
    message: holds,
  });
  expect(readFileSync(site.path("mine.txt"), "utf8")).toBe("an idea");
  rmSync(site.path("mine.txt"));
  await install(context, ["course"], OPTIONS);
  expect(site.ipm.events.some((event) => event.type === "warning" && event.code === "WORKSPACE_UNFINISHED")).toBe(true);
  expect(site.git("status", "--porcelain")).toBe("");
});

test("steps that fail on an upgrade leave a workspace that says so, until reinstall passes", async () => {
  const site = await WorkspaceSite.open([ONE], "steps: [{ run: 'test ! -e broken' }]\n");
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  await site.release({ version: "2.0.0", files: { broken: "" } });
  await expect(upgrade(context, ["course"], OPTIONS)).rejects.toMatchObject({ code: "STEP_FAILED" });
  expect(await listTools(context)).toMatchObject([{ version: "2.0.0", workspace: { state: "unfinished" } }]);
  expect(
    (await doctor(context, { name: null, fix: false })).checks.find(({ id }) => id === "workspace.course"),
  ).toMatchObject({
    fix: "ipm reinstall course",
  });
  rmSync(site.path("broken"));
  await reinstall(context, "course", OPTIONS);
  expect(await listTools(context)).toMatchObject([{ workspace: { state: "ready" } }]);
});

test("a name is a tool's or a workspace's, --into is for workspaces, and one that is there stays where it is", async () => {
  const site = await WorkspaceSite.open([ONE], STEPS);
  const { context } = site.ipm;
  await install(context, ["course"], OPTIONS);
  await expect(install(context, ["course"], { ...OPTIONS, into: "other" })).rejects.toMatchObject({
    code: "WORKSPACE_EXISTS",
  });
  rmSync(at(site), { recursive: true });
  const gone = (await doctor(context, { name: "course", fix: false })).checks[0];
  expect(gone).toMatchObject({ status: "failed", fix: expect.stringContaining("ipm uninstall course") as string });
  expect((await uninstall(context, ["course"], { purge: false })).workspaces[0]?.kept).toBeNull();
});
