import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { ResolvedRequirement } from "../plan/plan.ts";
import { remediesOf, remedyCommands, showCommand } from "../plan/remedies.ts";
import type { Context, PlanOptions } from "./context.ts";
import { findOnPath } from "./find-on-path.ts";
import { inTurn } from "./in-turn.ts";
import { probeRequirements } from "./probe-requirements.ts";
import { readRemedyHost } from "./remedy-host.ts";

const COMMAND_TIMEOUT_MS = 30 * 60_000;

function failed(command: string, how: string): IpmError {
  return new IpmError("REQUIREMENT_MISSING", `${command} ${how}`, {
    hint: "run it by hand, then run the command again",
    data: { command },
  });
}

function callerEnvironment(host: Host): Record<string, string> {
  const entries = Object.entries(host.facts.env);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Run one command with the caller's own environment: at a terminal with its streams, because sudo asks for a password. */
async function runCommand(
  context: Context,
  tool: string,
  command: readonly [string, ...string[]],
  index: number,
  total: number,
): Promise<void> {
  const { host } = context;
  const [program, ...args] = command;
  const title = showCommand(command);
  const found = await findOnPath(host, program);
  if (found === undefined) throw failed(title, `cannot run: there is no ${program}`);
  const argv: [string, ...string[]] = [found, ...args];
  const env = callerEnvironment(host);
  const id = `requirements ${index + 1}`;
  const started = host.monotonicMs();
  context.emit({ type: "step.started", tool, id, title, index, total });
  let isDone = false;
  try {
    const decoder = new TextDecoder();
    const result =
      context.ask === null
        ? await host.processes.run({
            argv,
            cwd: host.facts.cwd,
            env,
            timeoutMs: COMMAND_TIMEOUT_MS,
            signal: host.signal,
            onOutput: (stream, chunk) => {
              for (const line of decoder.decode(chunk).split("\n"))
                if (line.trim() !== "")
                  context.emit({ type: "step.output", tool, id, stream, line: escapeUntrusted(line) });
            },
          })
        : await host.processes.attach({ argv, cwd: host.facts.cwd, env });
    if (result.exitCode !== 0) {
      throw failed(
        title,
        result.signal === null ? `failed with exit code ${result.exitCode}` : `was ended by ${result.signal}`,
      );
    }
    isDone = true;
  } finally {
    const ms = Math.round(host.monotonicMs() - started);
    context.emit({ type: "step.finished", tool, id, title, outcome: isDone ? "done" : "failed", ms });
  }
}

async function getAll(
  context: Context,
  tool: string,
  unmet: readonly ResolvedRequirement[],
  options: PlanOptions,
): Promise<boolean> {
  // Another tool of the same command may have got some of it meanwhile.
  const still = (await probeRequirements(context.host, unmet)).filter(({ met }) => !met);
  if (still.length === 0) return true;
  const { remedies, without } = remediesOf(still);
  if (without.length > 0) return false;
  const commands = remedyCommands(remedies, await readRemedyHost(context.host), true);
  if (!options.yes) {
    if (context.ask === null) return false;
    const agreed = await context.ask({
      kind: "confirm",
      text: `Run ${commands.length === 1 ? "this command" : `these ${commands.length} commands`} to get what ${tool} needs?`,
      detail: commands.map(({ command }) => showCommand(command)),
      default: false,
    });
    if (!agreed) throw new IpmError("DECLINED", `${tool} was not installed`, { hint: "nothing was changed" });
  }
  for (const [index, { command }] of commands.entries())
    await runCommand(context, tool, command, index, commands.length);
  return true;
}

/**
 * `--with-requirements`: run the commands that get what the host lacks, after one question that lists every one of them
 * with the program that makes it root's. Without a terminal only `--yes` answers it.
 * @param tool `name@version`
 * @returns false when nothing was run, because a remedy is not known for all of them or nobody could be asked
 * @throws IpmError DECLINED, REQUIREMENT_MISSING when a command fails
 */
export async function installRequirements(
  context: Context,
  tool: string,
  unmet: readonly ResolvedRequirement[],
  options: PlanOptions,
): Promise<boolean> {
  // Package managers lock each other out, and two questions at once cannot be answered.
  return inTurn(context.host, "terminal", () => getAll(context, tool, unmet, options));
}
