import path from "node:path";
import type { Emit } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import type { Ecosystem } from "../manifest/ecosystems.ts";
import type { Plan, PlannedEnvironment, ResolvedRequirement } from "../plan/plan.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type Toolchain, resolveToolchain } from "../sandbox/toolchain.ts";

/** What running a plan is handed. */
export interface ExecutionContext {
  readonly host: Host;
  readonly emit: Emit;
  readonly sandbox: Sandbox;
  /** Ecosystems whose credentials of this machine go to the steps that declare them. Default: none. */
  readonly credentials?: readonly Ecosystem[];
  /** What the user gave that is secret: for the server of `start` alone, and never in its transcript. Default: none. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** No step gets a network, whatever it declares. Default: false. */
  readonly offline?: boolean;
}

/** Absolute paths of one installation; the folders lie beside each other in a folder that no step can write. */
export interface ExecutionPaths {
  readonly prefix: string;
  /** The checkout. */
  readonly source: string;
  /** Private HOME and TMP of the steps. */
  readonly home: string;
  readonly tmp: string;
  /** What compilers may keep for the next build of the same tool; none when absent. */
  readonly cache?: string;
  /** For the tests: emptied before each one. */
  readonly scratch: string;
  /** The log file; its folder exists. */
  readonly log: string;
  /**
   * Of a workspace: `source` is its folder, where tests run too, and git's own folder there can only be read, whatever
   * runs. `environment`: what the plan says of it, with absolute paths.
   */
  readonly workspace?: { readonly git: string; readonly environment: WorkspacePlace };
}

/** The environment of a workspace on this machine: absolute folders for PATH, and variables. */
export interface WorkspacePlace {
  readonly path: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** The planned environment of a workspace in its folder. */
export function placeEnvironment(environment: PlannedEnvironment, folder: string): WorkspacePlace {
  return {
    path: environment.path.map((below) => path.join(folder, below)),
    variables: Object.fromEntries(
      Object.entries(environment.variables).map(([name, below]) => [name, path.join(folder, below)]),
    ),
  };
}

/** `name@version`, as events name a tool. */
export function toolOf(plan: Plan): string {
  return `${plan.tool.name}@${plan.tool.version}`;
}

function commandOf(found: NonNullable<ResolvedRequirement["found"]>): string {
  // `npm` is a link to npm-cli.js: the name that the steps use is the one that matters.
  return path.basename(found.real) === path.basename(found.path) ? found.real : found.path;
}

/**
 * The real programs of the plan's requirements that were found, in the plan's order.
 * @param when which of them: for building, or for running
 */
export async function findToolchains(
  host: Host,
  plan: Pick<Plan, "requirements">,
  when: "build" | "run",
): Promise<Toolchain[]> {
  const toolchains: Toolchain[] = [];
  for (const requirement of plan.requirements) {
    if (requirement.found === null || !("tool" in requirement)) continue;
    if (when === "run" && requirement.for === "build") continue;
    toolchains.push(await resolveToolchain(host, commandOf(requirement.found)));
  }
  return toolchains;
}

/** The program of an argv list as the kernel will be asked for it: searched on PATH, or relative to the working folder. */
export async function findProgram(
  host: Host,
  program: string,
  searchPath: string,
  cwd: string,
): Promise<string | undefined> {
  if (program.includes("/")) return path.resolve(cwd, program);
  for (const folder of searchPath.split(":")) {
    const candidate = path.join(folder, program);
    const real = await host.files.realPath(candidate);
    if (real === undefined) continue;
    const facts = await host.files.facts(real);
    if (facts?.kind === "file" && (facts.mode & 0o111) !== 0) return candidate;
  }
  return undefined;
}
