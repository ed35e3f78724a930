import type { Host } from "../core/host.ts";
import { PACKAGE_MANAGERS, type RemedyHost } from "../plan/remedies.ts";
import { findOnPath } from "./find-on-path.ts";

/** What remedies need to know of this host: its package managers, and how to become root. */
export async function readRemedyHost(host: Host): Promise<RemedyHost> {
  const managers: Record<string, string> = {};
  for (const { id, program } of PACKAGE_MANAGERS) {
    const found = await findOnPath(host, program);
    if (found !== undefined) managers[id] = found;
  }
  let escalation: string | null = null;
  if (host.facts.uid !== 0) {
    for (const name of ["sudo", "doas"])
      if (escalation === null && (await findOnPath(host, name)) !== undefined) escalation = name;
  }
  return {
    distribution: host.facts.distribution.id,
    managers: Object.keys(managers),
    isRoot: host.facts.uid === 0,
    escalation,
  };
}
