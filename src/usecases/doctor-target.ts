import { IpmError } from "../core/errors.ts";
import { remediesOf, remedyCommands, showCommand } from "../plan/remedies.ts";
import type { ResolvedRequirement } from "../plan/plan.ts";
import { describeRequirement, identifyRequirement } from "../plan/requirements.ts";
import type { Context } from "./context.ts";
import type { DoctorCheck } from "./doctor.ts";
import { examineMethods } from "./prepare-plan.ts";
import { readRemedyHost } from "./remedy-host.ts";
import { openTargets } from "./resolve-target.ts";

/** Planning for a look alone. */
const LOOKING = {
  allowUnverified: false,
  noSandbox: false,
  noFallback: false,
  jobs: 1,
  keepGoing: false,
  yes: false,
  dryRun: true,
} as const;

async function fixOf(context: Context, requirement: ResolvedRequirement): Promise<string | null> {
  if (requirement.advice !== undefined) return requirement.advice;
  const commands = remedyCommands(remediesOf([requirement]).remedies, await readRemedyHost(context.host));
  return commands.length === 0 ? null : commands.map(({ command }) => showCommand(command)).join(" && ");
}

/**
 * What a tool that is not installed needs of this machine, for each of its methods. What a method lacks is a failure only
 * where no other method can be used.
 * @throws IpmError of look-up and fetch
 */
export async function checkTarget(context: Context, typed: string): Promise<DoctorCheck[]> {
  const options = { ...LOOKING, offline: context.offline ?? false };
  const [target] = await openTargets(context, [typed], options);
  if (target === undefined) throw new IpmError("TOOL_NOT_FOUND", `${typed} is in no registry`, { hint: "ipm search" });
  const methods = await examineMethods(context, target, options.offline);
  const isUsable = methods.some(({ why }) => why === null);
  const checks: DoctorCheck[] = [];
  for (const { id: method, why, requirements } of methods) {
    const missing = isUsable ? "warning" : "failed";
    const title = `${target.entry.name} ${target.version} by method ${method}`;
    const status = why === null ? "ok" : missing;
    checks.push({ id: `method.${method}`, status, title, detail: why ?? "can be used here", fix: null });
    for (const requirement of requirements) {
      const { kind, name } = identifyRequirement(requirement);
      checks.push({
        id: `method.${method}.requirement.${kind}.${name}`,
        status: requirement.met ? "ok" : requirement.optional ? "warning" : missing,
        title: describeRequirement(requirement),
        detail: requirement.why,
        fix: requirement.met ? null : await fixOf(context, requirement),
      });
    }
  }
  return checks;
}
