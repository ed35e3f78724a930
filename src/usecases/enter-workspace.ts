import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { findProgram, findToolchains, placeEnvironment } from "../execute/execution.ts";
import { givenInputs } from "../plan/given-inputs.ts";
import { checkoutOf } from "../plan/plan.ts";
import { isInside } from "../sandbox/paths.ts";
import { isWorkspaceFolder, workspaceGone } from "./build-workspace.ts";
import type { Context } from "./context.ts";
import type { RunToolResult } from "./run-tool.ts";
import type { Workspace } from "../store/workspaces.ts";

/**
 * The caller's environment with that of a workspace before it: its folders and the programs of its plan first on PATH.
 */
export async function workspaceEnvironment(context: Context, workspace: Workspace): Promise<Record<string, string>> {
  const { host } = context;
  const { folder, plan } = workspace;
  const { path: own, variables } = placeEnvironment(plan.what.environment ?? { path: [], variables: {} }, folder);
  const toolchains = await findToolchains(host, plan, "run");
  const caller = Object.entries(host.facts.env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  // What the caller has set wins over what was given when it was installed.
  const env: Record<string, string> = { ...givenInputs(plan.what, "run"), ...Object.fromEntries(caller), ...variables };
  // As activating the environment does: it would send its Python to the libraries of another one.
  if (variables["VIRTUAL_ENV"] !== undefined) delete env["PYTHONHOME"];
  const before = (host.facts.env["PATH"] ?? "").split(":").filter((place) => place !== "");
  env["PATH"] = [...new Set([...own, ...toolchains.map(({ bin }) => bin), ...before])].join(":");
  return env;
}

/**
 * Run a command in a workspace, with its environment and this terminal; without one, the caller's shell. It runs in the
 * workspace's folder, or where the caller is when that is inside it. What runs is the user's own doing: no sandbox.
 * @throws IpmError WORKSPACE_GONE, WORKSPACE_UNFINISHED, COMMAND_NOT_PROVIDED; what the command itself does is a result
 */
export async function enterWorkspace(
  context: Context,
  workspace: Workspace,
  words: readonly string[],
): Promise<RunToolResult> {
  const { host } = context;
  const { name, folder, plan } = workspace;
  if (!(await isWorkspaceFolder(context, workspace))) throw workspaceGone(workspace);
  if (workspace.state !== "ready") {
    throw new IpmError(
      "WORKSPACE_UNFINISHED",
      `the environment of ${name} in ${escapeUntrusted(folder)} is not finished`,
      {
        hint: workspace.state === "updating" ? `ipm reinstall ${name}` : `ipm install ${name}`,
        data: { name, folder, state: workspace.state },
      },
    );
  }
  const env = await workspaceEnvironment(context, workspace);
  const root = path.join(folder, checkoutOf(plan).path ?? ".");
  const here = (await host.files.realPath(host.facts.cwd)) ?? host.facts.cwd;
  const cwd = isInside(folder, here) ? here : root;
  const [command = host.facts.env["SHELL"] ?? "/bin/sh", ...args] = words;
  const program = await findProgram(host, command, env["PATH"] ?? "", cwd);
  if (program === undefined) {
    throw new IpmError("COMMAND_NOT_PROVIDED", `${name} has no command ${escapeUntrusted(command)}`, {
      hint: `ipm run ${name} -- sh -c 'echo $PATH'`,
      data: { name, command },
    });
  }
  context.emit({ type: "program.started", tool: `${name}@${plan.tool.version}`, command });
  return host.processes.attach({ argv: [program, ...args], cwd, env });
}
