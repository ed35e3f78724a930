import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { launchersOf } from "../plan/build-plan.ts";
import { fillPrefix } from "../manifest/placeholders.ts";
import type { Plan, PlannedLauncher } from "../plan/plan.ts";
import { SYSTEM_FOLDERS, type Toolchain, resolveToolchain } from "../sandbox/toolchain.ts";
import { type Shebang, parseShebang } from "../store/launchers.ts";
import type { SealedLauncher } from "../store/receipts.ts";
import { findOnPath } from "./find-on-path.ts";

interface Resolution {
  readonly host: Host;
  readonly plan: Plan;
  readonly prefix: string;
  readonly toolchains: Toolchain[];
}

/** Enough for any interpreter line that a kernel reads (Linux: 256 bytes, macOS: 512). */
const HEAD_BYTES = 1024;

function isSystemProgram(program: string): boolean {
  return SYSTEM_FOLDERS.some((folder) => program.startsWith(`${folder}/`)) && !program.startsWith("/usr/local/");
}

/** Launchers as they are sealed, and what their tests need to see for them to start. */
export interface ResolvedLaunchers {
  readonly launchers: readonly SealedLauncher[];
  /** Interpreters that were found on PATH and that no requirement of the plan names. */
  readonly toolchains: readonly Toolchain[];
}

/**
 * The program that a word of the package means: the plan's own requirement first, which is what the steps and the
 * tests used, else what is on the caller's PATH now, behind shims; that one goes to `toolchains`. A path that the package
 * writes itself never does: it could name any folder of the caller.
 */
async function resolveProgram(
  { host, plan, toolchains }: Resolution,
  program: string,
  launcher: string,
): Promise<string> {
  const required = plan.requirements.find((one) => "tool" in one && one.tool === program);
  if (required !== undefined && required.found !== null) return required.found.real;
  const found = await findOnPath(host, program);
  if (found === undefined) {
    throw new IpmError(
      "OUTPUT_INVALID",
      `the launcher ${launcher} needs ${escapeUntrusted(program)}, which is not on this machine`,
      {
        hint: `add it to the manifest: requires: [{ tool: ${escapeUntrusted(program)} }]`,
        data: { launcher, program },
      },
    );
  }
  const toolchain = await resolveToolchain(host, found);
  toolchains.push(toolchain);
  return toolchain.program;
}

/** Interpreter and arguments that the launcher must carry, or null where the kernel can start the file by itself. */
async function interpreterOf(
  resolution: Resolution,
  shebang: Shebang | null,
  launcher: string,
): Promise<[string, ...string[]] | null> {
  if (shebang === null) return null;
  if (shebang.lookUp) return [await resolveProgram(resolution, shebang.program, launcher), ...shebang.args];
  if (isSystemProgram(shebang.program) && (await resolution.host.files.realPath(shebang.program)) !== undefined)
    return null;
  return [shebang.program, ...shebang.args];
}

function readHead(host: Host, file: string): Uint8Array {
  const open = host.files.openForReading(file);
  if (open === undefined) return new Uint8Array();
  try {
    return open.read(0, HEAD_BYTES);
  } finally {
    open.close();
  }
}

/** A command line of the manifest with absolute paths: its program, and each argument that names a file of the prefix. */
async function resolveWords(
  resolution: Resolution,
  launcher: string,
  words: readonly [string, ...string[]],
): Promise<[string, ...string[]]> {
  const { host, prefix } = resolution;
  const inPrefix = async (word: string): Promise<string | undefined> => {
    if (word.startsWith("-") || path.isAbsolute(word)) return undefined;
    const file = path.join(prefix, word);
    const real = await host.files.realPath(file);
    return real !== undefined && real.startsWith(`${(await host.files.realPath(prefix)) ?? prefix}/`)
      ? file
      : undefined;
  };
  const [program, ...args] = words;
  const own = program.includes("/") ? await inPrefix(program) : undefined;
  const resolved: [string, ...string[]] = [
    own ?? (path.isAbsolute(program) ? program : await resolveProgram(resolution, program, launcher)),
  ];
  for (const word of args) resolved.push((await inPrefix(word)) ?? fillPrefix(word, prefix));
  return resolved;
}

async function resolveLauncher(
  resolution: Resolution,
  name: string,
  launcher: PlannedLauncher,
): Promise<SealedLauncher> {
  const { host, prefix } = resolution;
  const env = Object.fromEntries(Object.entries(launcher.env).map(([key, value]) => [key, fillPrefix(value, prefix)]));
  if (launcher.run !== null) {
    return {
      name,
      file: null,
      run: await resolveWords(resolution, name, launcher.run),
      interpreter: null,
      env,
    };
  }
  const file = launcher.file ?? `bin/${name}`;
  const interpreter = await interpreterOf(resolution, parseShebang(readHead(host, path.join(prefix, file))), name);
  return { name, file, run: null, interpreter, env };
}

/**
 * Settle what each launcher of a built prefix runs: a launcher must work with an empty PATH, so the interpreter that the
 * plan resolved is written into it.
 * @throws IpmError OUTPUT_INVALID for an interpreter that this machine does not have
 */
export async function resolveLaunchers(host: Host, plan: Plan, prefix: string): Promise<ResolvedLaunchers> {
  const resolution: Resolution = { host, plan, prefix, toolchains: [] };
  const launchers: SealedLauncher[] = [];
  for (const [name, launcher] of launchersOf(plan)) launchers.push(await resolveLauncher(resolution, name, launcher));
  return { launchers, toolchains: resolution.toolchains };
}
