import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Requirement } from "../manifest/manifest.ts";
import type { ResolvedRequirement } from "../plan/plan.ts";
import { findRemedy } from "../plan/remedies.ts";
import { type FoundRequirement, adviceFor, requirementKey, resolveRequirement } from "../plan/requirements.ts";
import { readVersion } from "../plan/version-range.ts";
import { resolveToolchain } from "../sandbox/toolchain.ts";
import { findOnPath } from "./find-on-path.ts";
import { findHeader, findLibrary, findPackage } from "./probe-libraries.ts";
import { findHardware, findService, findVariable } from "./probe-machine.ts";
import { readRemedyHost } from "./remedy-host.ts";

const NO_COUNTERS = "-XX:-UsePerfData";

const VERSION_TIMEOUT_MS = 15_000;
/** How a program is asked for its version where `--version` is not the way. */
const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  go: ["version"],
  // A JVM makes a folder for its counters in /tmp, and leaves it there.
  java: [NO_COUNTERS, "-version"],
  javac: [`-J${NO_COUNTERS}`, "-version"],
  lua: ["-v"],
  unzip: ["-v"],
  zip: ["-v"],
  ssh: ["-V"],
  tmux: ["-V"],
  openssl: ["version"],
};

async function readToolVersion(host: Host, tool: string, program: string): Promise<string | null> {
  const result = await host.processes.run({
    argv: [program, ...(VERSION_ARGUMENTS[tool] ?? ["--version"])],
    cwd: "/",
    // A script such as npm looks for its interpreter beside itself first; nothing of the caller's secrets is passed.
    // HOME is a file, in which not even root can make a folder: `go version` would keep its telemetry there.
    env: {
      PATH: `${path.dirname(program)}:/usr/local/bin:/usr/bin:/bin`,
      LC_ALL: "C",
      HOME: "/dev/null",
      MAVEN_OPTS: NO_COUNTERS,
      JAVA_OPTS: NO_COUNTERS,
    },
    timeoutMs: VERSION_TIMEOUT_MS,
    signal: host.signal,
  });
  return readVersion(`${new TextDecoder().decode(result.stdout)}\n${new TextDecoder().decode(result.stderr)}`);
}

async function findTool(host: Host, tool: string): Promise<FoundRequirement | null> {
  const found = await findOnPath(host, tool);
  if (found === undefined) return null;
  try {
    const { program } = await resolveToolchain(host, found);
    // ipm runs on Node itself: that version is known without starting another.
    const isSelf =
      tool === "node" && (await host.files.realPath(program)) === (await host.files.realPath(host.facts.node.path));
    const version = isSelf ? host.facts.node.version : await readToolVersion(host, tool, program);
    return { path: found, real: program, version };
  } catch (error) {
    // A shim with no version behind it is no tool; a toolchain that no step may see is not one for this plan either.
    if (isIpmError(error, "REQUIREMENT_MISSING") || isIpmError(error, "SANDBOX_UNAVAILABLE")) return null;
    throw error;
  }
}

function find(host: Host, requirement: Requirement): Promise<FoundRequirement | null> {
  if ("tool" in requirement) return findTool(host, requirement.tool);
  if ("header" in requirement) return findHeader(host, requirement.header);
  if ("library" in requirement) return findLibrary(host, requirement.library);
  if ("env" in requirement) return Promise.resolve(findVariable(host, requirement.env));
  if ("service" in requirement) return findService(host, requirement.service);
  if ("hardware" in requirement) return findHardware(host, requirement.hardware);
  return findPackage(host, requirement["pkg-config"]);
}

/**
 * Look on the host for everything that is required, in parallel; nothing is installed and nothing is changed. What is not
 * met comes with its remedy for this host.
 */
export async function probeRequirements(
  host: Host,
  requirements: readonly Requirement[],
): Promise<ResolvedRequirement[]> {
  const cache = new Map<string, Promise<FoundRequirement | null>>();
  const resolved = await Promise.all(
    requirements.map(async (requirement) => {
      const key = requirementKey(requirement);
      const found = cache.get(key) ?? find(host, requirement);
      cache.set(key, found);
      return resolveRequirement(requirement, await found);
    }),
  );
  if (resolved.every(({ met }) => met)) return resolved;
  const remedyHost = await readRemedyHost(host);
  return resolved.map((one) => {
    if (one.met) return one;
    const advice = adviceFor(one);
    return { ...one, remedy: findRemedy(one, remedyHost), ...(advice === null ? {} : { advice }) };
  });
}
