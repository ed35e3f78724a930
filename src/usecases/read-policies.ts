import path from "node:path";
import type { Policy } from "../trust/policy.ts";
import type { Context } from "./context.ts";

/** The system's policy: whoever administers the machine writes it, and no user's file goes past it. */
const SYSTEM_POLICY = "/etc/ipm/policy.yaml";

/** The files that hold the policy, the user's first; they need not exist. */
export function policyFiles(context: Context): readonly string[] {
  return context.policyFiles ?? [path.join(context.host.homes.config, "policy.yaml"), SYSTEM_POLICY];
}

/**
 * Every policy that applies, each file on its own.
 * @throws IpmError POLICY_INVALID, and IO_FAILED for a file that is there and cannot be read: that is never no policy
 */
export async function readPolicies(context: Context): Promise<Policy[]> {
  const policies: Policy[] = [];
  for (const file of policyFiles(context)) {
    const content = await context.host.files.readText(file);
    if (content === undefined) continue;
    // Loaded late: most machines have none, and the parser costs more than the rest of a plan.
    const { parsePolicy } = await import("../trust/policy-file.ts");
    policies.push(parsePolicy(content, file));
  }
  return policies;
}
