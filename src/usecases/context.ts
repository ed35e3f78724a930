import type { Emit } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type StoreContext, createStoreContext } from "../store/store-context.ts";

/** A yes-or-no question for a person; never asked without a terminal. */
export interface Question {
  readonly kind: "confirm";
  readonly text: string;
  readonly detail?: readonly string[];
  readonly default: boolean;
}

export type Ask = (question: Question) => Promise<boolean>;

/** A value that somebody types. */
export interface TextQuestion {
  readonly text: string;
  readonly detail?: readonly string[];
  /** What is typed is not shown. */
  readonly hidden: boolean;
}

/** Several things of which somebody picks one. */
export interface ChoiceQuestion {
  readonly text: string;
  /** `why`: why it cannot be taken, or null. At least one can. */
  readonly choices: readonly { readonly id: string; readonly why: string | null }[];
}

/** What a person types; never asked without a terminal. */
export interface Prompts {
  /** The id of one that can be taken, or null when nobody picks one. */
  choose(question: ChoiceQuestion): Promise<string | null>;
  /** One line, or null when nobody gives one (end of file). */
  text(question: TextQuestion): Promise<string | null>;
}

/** Everything that the use cases are handed; `cli/` puts it together. */
export interface Context {
  readonly host: Host;
  readonly emit: Emit;
  /** Null: nobody can be asked, so what needs a question has a safe default or fails with its code. */
  readonly ask: Ask | null;
  /** For more than a yes or no; absent or null where `ask` is null. */
  readonly prompts?: Prompts | null;
  /** The sandbox of this host, or `none` when it was switched off. */
  sandboxFor(noSandbox: boolean): Sandbox;
  readonly lockTimeoutMs: number;
  /** `--offline`: no server is asked by anything. */
  readonly offline?: boolean;
  /** Folder of the embedded registry (`dist/registry`). */
  readonly embeddedRegistry: string;
  readonly ipmVersion: string;
  /** Files with the policy, instead of the user's and the system's; a clean room has none. */
  readonly policyFiles?: readonly string[];
  /** The command line as receipts, generations and locks record it: `ipm install ripcat`. */
  readonly command: string;
}

/** What planning and installing commands can be told. */
export interface PlanOptions {
  readonly method?: string;
  /** Somebody at the terminal picks the method. */
  readonly choose?: boolean;
  /** What was decided about optional steps when this was installed: nobody is asked again. */
  readonly optionalBefore?: readonly { readonly title: string; readonly taken: boolean }[];
  /** The name under which this is installed, where its entry has another one now: what was given is kept. */
  readonly formerName?: string;
  readonly ref?: string;
  /** The folder that a workspace goes to, as typed. */
  readonly into?: string;
  readonly allowUnverified: boolean;
  readonly noSandbox: boolean;
  readonly noFallback: boolean;
  /** Run the commands that get what the host lacks, after a confirmation that lists them. */
  readonly withRequirements?: boolean;
  /** `--set`: what tools ask for, by variable. */
  readonly set?: Readonly<Record<string, string>>;
  /** For a clean room: no optional step is taken, only `set` and what was given in it counts, and secrets may be missing. */
  readonly cleanRoom?: boolean;
  readonly offline: boolean;
  /** How many tools are fetched and built at once. */
  readonly jobs: number;
  /** Install what passed although another target failed. */
  readonly keepGoing: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** The store as a use case of this context sees it. */
export function storeOf(context: Context): StoreContext {
  return createStoreContext(context.host, context.emit, context.command, context.lockTimeoutMs);
}
