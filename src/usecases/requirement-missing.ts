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
  const others = without
    .filter(({ advice }) => advice === undefined)
    .map(wish)
    .join(" and ");
  const parts = [
    ...(shown === "" ? [] : [shown]),
    ...(others === "" ? [] : [`${shown === "" ? "" : "and "}install ${others}`]),
    ...without.flatMap(({ advice }) => (advice === undefined ? [] : [advice])),
  ];
  const hint = `${parts.join("; ")}${shown === "" ? ", then run the command again" : ""}`;
  const reasons = unmet.flatMap((one) => (one.why === null ? [] : [`\n  ${nameRequirement(one)}: ${one.why}`]));
  const message = `${name} ${version} needs ${unmet.map(describeRequirement).join(", ")}${reasons.join("")}`;
  return new IpmError("REQUIREMENT_MISSING", message, {
    hint,
    data: {
      name,
      version,
      requirements: unmet.map((requirement) => ({
        ...identifyRequirement(requirement),
        version: requirement.version,
        for: requirement.for,
        why: requirement.why,
        found: requirement.found,
        remedy: requirement.remedy ?? null,
        advice: requirement.advice ?? null,
      })),
      remedies: commands,
      passedOver,
    },
  });
}
