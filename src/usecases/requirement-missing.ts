import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { ResolvedRequirement } from "../plan/plan.ts";
import { remediesOf, remedyCommands, showCommand } from "../plan/remedies.ts";
import { describeRequirement, identifyRequirement, nameRequirement } from "../plan/requirements.ts";
import { readRemedyHost } from "./remedy-host.ts";

function wish(requirement: ResolvedRequirement): string {
  const name = nameRequirement(requirement);
  return requirement.version === null ? name : `${name} ${requirement.version}`;
}

/**
 * The failure of a plan whose requirements are not met: the hint is the one command that gets them on this host, as far
 * as remedies are known; `data` has each requirement with its remedy, and the commands as lists of words.
 */
export async function requirementMissing(
  host: Host,
  name: string,
  version: string,
  unmet: readonly ResolvedRequirement[],
  passedOver: readonly { readonly id: string; readonly why: string }[],
): Promise<IpmError> {
  const { remedies, without } = remediesOf(unmet);
  const commands = remedyCommands(remedies, await readRemedyHost(host));
  const shown = commands.map(({ command }) => showCommand(command)).join(" && ");
  const others = without.map(wish).join(" and ");
  const hint =
    shown === ""
      ? `install ${others}, then run the command again`
      : `${shown}${others === "" ? "" : `; and install ${others}`}`;
  return new IpmError("REQUIREMENT_MISSING", `${name} ${version} needs ${unmet.map(describeRequirement).join(", ")}`, {
    hint,
    data: {
      name,
      version,
      requirements: unmet.map((requirement) => ({
        ...identifyRequirement(requirement),
        version: requirement.version,
        found: requirement.found,
        remedy: requirement.remedy ?? null,
      })),
      remedies: commands,
      passedOver,
    },
  });
}
