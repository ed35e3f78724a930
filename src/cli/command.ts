import { IpmError } from "../core/errors.ts";
import type { Context } from "../usecases/context.ts";
import type { GlobalFlags } from "./arguments.ts";
import type { Theme } from "./render/theme.ts";
import type { Environment, Settings } from "./settings.ts";
import type { Streams } from "./streams.ts";

/** Where this ipm is, and what runs it. */
export interface Installation {
  readonly version: string;
  /** The package's folder: it holds `bin/ipm.cjs` and `dist/`. */
  readonly root: string;
  readonly platform: NodeJS.Platform;
}

/** What a command is handed. */
export interface Session {
  readonly globals: GlobalFlags;
  readonly settings: Settings;
  readonly streams: Streams;
  readonly env: Environment;
  readonly installation: Installation;
  /** The use cases' view of the world; made on first use, because it costs time and may refuse (HOME). */
  openContext(options: ContextOptions): Promise<Context>;
}

export const DEFAULT_LOCK_TIMEOUT_MS = 60_000;

export interface ContextOptions {
  /** The command changes something: as root it says so. */
  readonly writes: boolean;
  /** How long to wait for another ipm: one that only plans locks the cache as well. Default: `DEFAULT_LOCK_TIMEOUT_MS`. */
  readonly lockTimeoutMs?: number;
  /** The plan is the answer, so the story need not tell it as well. */
  readonly answersWithPlan?: boolean;
}

/** What a command answers: a value for `--json`, lines for people, and the exit code when it is not 0. */
export interface Answer {
  readonly result: unknown;
  render(theme: Theme): readonly string[];
  readonly exitCode?: number;
}

export interface OptionSpec {
  /** `--method ID`, `--dry-run`, `--no-sandbox`. */
  readonly flags: string;
  readonly says: string;
  /** May be given several times: every value counts, in their order. */
  readonly repeats?: boolean;
}

export type CommandGroup = "Install" | "Look" | "Go back and clean up" | "Registries" | "Contribute" | "Set up";

/** One command: its help is data, so that help, completion and `docs/cli.md` cannot drift from what is parsed. */
export interface CommandSpec {
  /** `install`, `registry add`. */
  readonly name: string;
  readonly alias?: string;
  /** As help shows them: `TARGET...`, `[GENERATION]`. */
  readonly operands: string;
  readonly group: CommandGroup;
  readonly summary: string;
  /** Command line and what it does; the first thing in help. */
  readonly examples: readonly (readonly [line: string, says: string])[];
  readonly about?: readonly string[];
  readonly options?: readonly OptionSpec[];
  /** The shape of `result` under `--json`. */
  readonly json: string;
  /** What a shell completes operands with. */
  readonly completes?: "targets" | "installed" | "commands" | "shells" | "files";
  run(session: Session, invocation: Invocation): Promise<Answer>;
}

/** `dry-run` as commander names its value: `dryRun`. */
export function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());
}

/** What was typed after the command's name, parsed. */
export class Invocation {
  readonly command: string;
  readonly operands: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param values option values by commander's camel-case names */
  constructor(command: string, operands: readonly string[] = [], values: Readonly<Record<string, unknown>> = {}) {
    this.command = command;
    this.operands = operands;
    this.#values = values;
  }

  /** The first operand, which the command demands. */
  get operand(): string {
    return this.operands[0] ?? "";
  }

  /** No flag of the command was given. */
  get isPlain(): boolean {
    return Object.keys(this.#values).length === 0;
  }

  /** True when a switch was given: `dry-run`, `no-sandbox`. */
  has(flag: string): boolean {
    return flag.startsWith("no-") ? this.#value(flag.slice(3)) === false : this.#value(flag) === true;
  }

  /** Most commands are given no flag: then no name is looked for. */
  #value(flag: string): unknown {
    return this.isPlain ? undefined : this.#values[camelCase(flag)];
  }

  text(flag: string): string | undefined {
    const value = this.#value(flag);
    if (typeof value !== "string") return undefined;
    if (value === "") throw this.#misfit(flag, "a value", value);
    return value;
  }

  /** The values of a flag that may be given several times. */
  texts(flag: string): readonly string[] {
    const values = this.#value(flag);
    return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
  }

  /** A whole number of at least `least`. @throws IpmError USAGE */
  whole(flag: string, least: number): number | undefined {
    const value = this.#value(flag);
    if (typeof value !== "string") return undefined;
    const number = Number(value);
    if (!/^[0-9]{1,9}$/u.test(value) || number < least) throw this.#misfit(flag, `a whole number from ${least}`, value);
    return number;
  }

  #misfit(flag: string, wanted: string, value: string): IpmError {
    return new IpmError("USAGE", `--${flag} takes ${wanted}, not ${JSON.stringify(value)}`, {
      hint: `ipm ${this.command} --help`,
    });
  }
}
