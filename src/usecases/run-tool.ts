import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Plan } from "../plan/plan.ts";
import { isToolName } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type EntryId, entryPaths, layoutOf } from "../store/layout.ts";
import { openForWriting } from "../store/recover.ts";
import { lockEntries } from "../store/store-context.ts";
import { confirmPlan } from "./confirm-plan.ts";
import { type Context, type PlanOptions, storeOf } from "./context.ts";
import { type Workspace, readWorkspace } from "../store/workspaces.ts";
import { enterWorkspace } from "./enter-workspace.ts";
import { buildTarget, seedPlan } from "./install.ts";
import { preparePlan } from "./prepare-plan.ts";
import { openTargets } from "./resolve-target.ts";
import { askSecrets, demandKnownInputs, keepInputs } from "./settle-inputs.ts";

export interface RunToolResult {
  /** The tool's exit code; null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** The command of a tool that `run` means: the one of its own name, else the first that its manifest names. */
function commandOf(plan: Plan): string {
  const commands = Object.keys(plan.what.provides.bin);
  const command = commands.find((name) => name === plan.tool.name) ?? commands[0];
  if (command !== undefined) return command;
  throw new IpmError("NOTHING_TO_INSTALL", `${plan.tool.name} provides no command that could be run`, {
    hint: `ipm show ${plan.tool.name}`,
  });
}

function callerEnvironment(context: Context): Record<string, string> {
  const entries = Object.entries(context.host.facts.env);
  return Object.fromEntries(entries.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** The workspace that a plain name means; null for any other target. */
async function findWorkspace(context: Context, target: string): Promise<Workspace | null> {
  if (!isToolName(target)) return null;
  const found = await readWorkspace(context.host, layoutOf(context.host.homes), target);
  return found.state === "complete" ? found.workspace : null;
}

/**
 * Run a command of a workspace that is on this machine (`enterWorkspace`). Of a tool: build it if that is needed, and run
 * its command in the caller's folder, environment and terminal. Nothing is
 * put on PATH and no generation is made; the entry stays for the next run until `gc`.
 * @throws IpmError those of `install`; what the tool itself does is a result
 */
export async function runTool(
  context: Context,
  target: string,
  args: readonly string[],
  options: PlanOptions,
): Promise<RunToolResult> {
  const workspace = await findWorkspace(context, target);
  if (workspace !== null) return enterWorkspace(context, workspace, args);
  // Asked for first: nothing is to be built for a tool that could then not be started.
  const { cwd } = context.host.facts;
  const store = storeOf(context);
  await openForWriting(store);
  const [resolved] = await openTargets(context, [target], options);
  if (resolved === undefined) throw new TypeError("a target was looked up to nothing");
  if (resolved.entry.kind === "workspace") {
    throw new IpmError("NOT_INSTALLED", `${resolved.entry.name} is a workspace, and it is not on this machine yet`, {
      hint: `ipm install ${escapeUntrusted(resolved.typed)}`,
      data: { name: resolved.entry.name },
    });
  }
  const prepared = await preparePlan(context, resolved, options);
  demandKnownInputs([prepared.plan], options.set);
  await confirmPlan(context, prepared.plan, options);
  const given = await askSecrets(context, prepared.plan, prepared.inputs, options);
  const lock = await lockEntries(store, prepared.plan.tool.name);
  try {
    const fresh: EntryId[] = [];
    const { id, plan } = await buildTarget(
      context,
      resolved,
      prepared,
      options,
      { replace: true, fresh: false, oneOff: true },
      fresh,
      given,
    );
    await keepInputs(context, plan, given);
    await seedPlan(context, plan, id);
    const command = commandOf(plan);
    context.emit({ type: "program.started", tool: `${plan.tool.name}@${plan.tool.version}`, command });
    return await context.host.processes.attach({
      argv: [path.join(entryPaths(store.layout, id).launchers, "bin", command), ...args],
      cwd,
      env: callerEnvironment(context),
      // From here on gc sees that it runs; a server must not keep others from installing or upgrading the tool.
      onStarted: () => void lock.release(),
    });
  } finally {
    await lock.release();
  }
}
