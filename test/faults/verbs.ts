import { spawnSync } from "node:child_process";
import path from "node:path";
import type { DemoTool } from "../helpers/demo-registry.ts";
import { GitRepository } from "../helpers/git-repository.ts";
import type { ToolSet } from "../helpers/machine.ts";
import { manifestYaml, registryYaml } from "../helpers/registry-folder.ts";

/** Everything, or the bounded selection of a normal run. */
export const ALL = process.env["IPM_FAULTS"] === "all";
/** Without strace nothing can be injected: those tests are skipped by name. */
export const CAN_TRACE = spawnSync("strace", ["-qq", "-e", "trace=none", "true"]).status === 0;

export const ALPHA: DemoTool = { name: "alpha", versions: ["1.0.0", "2.0.0"] };
export const BRAVO: DemoTool = {
  name: "bravo",
  versions: ["1.0.0"],
  files: () => ({
    "bin/bravo": { run: '#!/usr/bin/env node\nconsole.log("bravo 1.0.0");\n' },
    "share/man/man1/bravo.1": "",
  }),
};

/** A command that changes the state, and what that is before and after it. */
export interface Verb {
  readonly name: string;
  /** Commands that lead to the state that it starts from; `{folder}` is the test's own. */
  readonly before: readonly (readonly string[])[];
  /** What happens outside of ipm after that. */
  readonly outside?: (folder: string) => void;
  readonly command: readonly string[];
  readonly old: ToolSet;
  readonly now: ToolSet;
  /** Exit codes of the command when it is given again. */
  readonly again: readonly number[];
}

export const TOOLS: readonly DemoTool[] = [ALPHA, BRAVO];

export const VERBS: readonly Verb[] = [
  { name: "first install", before: [], command: ["install", "bravo"], old: {}, now: { bravo: "1.0.0" }, again: [0] },
  {
    name: "install",
    before: [["install", "bravo"]],
    command: ["install", "alpha"],
    old: { bravo: "1.0.0" },
    now: { bravo: "1.0.0", alpha: "2.0.0" },
    again: [0],
  },
  {
    name: "upgrade",
    before: [["install", "alpha@1.0.0", "bravo"]],
    command: ["upgrade"],
    old: { alpha: "1.0.0", bravo: "1.0.0" },
    now: { alpha: "2.0.0", bravo: "1.0.0" },
    again: [0],
  },
  {
    name: "uninstall",
    before: [["install", "alpha", "bravo"]],
    command: ["uninstall", "alpha"],
    old: { alpha: "2.0.0", bravo: "1.0.0" },
    now: { bravo: "1.0.0" },
    again: [0, 7],
  },
  {
    name: "purge",
    before: [["install", "alpha@1.0.0", "bravo"], ["upgrade"]],
    command: ["uninstall", "--purge", "alpha"],
    old: { alpha: "2.0.0", bravo: "1.0.0" },
    now: { bravo: "1.0.0" },
    again: [0, 7],
  },
  {
    name: "rollback",
    before: [["install", "alpha@1.0.0", "bravo"], ["upgrade"]],
    command: ["rollback", "1"],
    old: { alpha: "2.0.0", bravo: "1.0.0" },
    now: { alpha: "1.0.0", bravo: "1.0.0" },
    again: [0],
  },
  {
    name: "gc",
    before: [["install", "alpha@1.0.0", "bravo"], ["upgrade"], ["uninstall", "bravo"]],
    command: ["gc", "--keep", "0"],
    old: { alpha: "2.0.0" },
    now: { alpha: "2.0.0" },
    again: [0],
  },
  {
    name: "update",
    before: [
      ["install", "bravo"],
      ["registry", "add", "file://{folder}/extra"],
    ],
    outside: (folder) => openExtra(folder).commit({ "packages/delta/manifest.yaml": manifestYaml({ name: "delta" }) }),
    command: ["update"],
    old: { bravo: "1.0.0" },
    now: { bravo: "1.0.0" },
    again: [0],
  },
];

/** A registry that grows: the one that `update` brings up to date. */
export function openExtra(folder: string): GitRepository {
  return new GitRepository(path.join(folder, "extra"));
}

/** Make the registry of the verb `update`; before its first command. */
export function createExtra(folder: string): void {
  openExtra(folder).commit({
    "registry.yaml": registryYaml("extra"),
    "packages/echotool/manifest.yaml": manifestYaml({ name: "echotool" }),
  });
}
