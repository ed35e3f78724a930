import { IpmError } from "../../core/errors.ts";
import type { Context, PlanOptions } from "../../usecases/context.ts";
import { DEFAULT_LOCK_TIMEOUT_MS, type Invocation, type OptionSpec, type Session } from "../command.ts";
import { readSet } from "./set-option.ts";

export const LOCK_TIMEOUT: OptionSpec = {
  flags: "--lock-timeout SECONDS",
  says: "how long to wait for another ipm (60; 0 for not at all)",
};

/** `--lock-timeout` in milliseconds. */
export function readLockTimeout(invocation: Invocation): number {
  const seconds = invocation.whole("lock-timeout", 0);
  return seconds === undefined ? DEFAULT_LOCK_TIMEOUT_MS : seconds * 1000;
}

export const DRY_RUN: OptionSpec = { flags: "--dry-run", says: "show the plan and change nothing" };

/** Builds use several processors each; more at once only makes all of them slower. */
const MOST_DEFAULT_JOBS = 4;

export const SET_OPTION: OptionSpec = {
  flags: "--set K=V",
  says: "a value that the tool asks for; K=@FILE and K=- (standard input) keep a secret out of the process list",
  repeats: true,
};

/** The flags of everything that makes a plan. */
export const PLAN_OPTIONS: readonly OptionSpec[] = [
  { flags: "--method ID", says: "this method of the manifest instead of the first that fits" },
  { flags: "--choose", says: "pick the method from a menu, with why each other one cannot be used" },
  { flags: "--with-requirements", says: "get what this machine lacks, after a question that lists every command" },
  { flags: "--no-fallback", says: "fail rather than pass a method over" },
  { flags: "--ref REF", says: "this branch, tag or commit of a repository" },
  { flags: "--into DIR", says: "the folder that a workspace goes to, instead of ./NAME" },
  { flags: "--allow-unverified", says: "go on with what nobody has verified" },
  { flags: "--no-sandbox", says: "run steps and tests without isolation" },
  SET_OPTION,
  { flags: "--jobs N", says: `how many tools to fetch and build at once (at most ${MOST_DEFAULT_JOBS} by itself)` },
  DRY_RUN,
  { flags: "--keep-going", says: "with several targets: go on with those that can be had" },
];

/** Flags to the use case's options. @throws IpmError USAGE, IO_FAILED for a file of `--set` */
export async function readPlanOptions(
  session: Session,
  invocation: Invocation,
  context: Context,
): Promise<PlanOptions> {
  const { cpus } = context.host.facts;
  const method = invocation.text("method");
  const ref = invocation.text("ref");
  const into = invocation.text("into");
  if (method !== undefined && invocation.has("choose")) {
    throw new IpmError("USAGE", "--method and --choose exclude each other", { hint: "leave --choose out" });
  }
  return {
    ...(method === undefined ? {} : { method }),
    ...(ref === undefined ? {} : { ref }),
    ...(into === undefined ? {} : { into }),
    choose: invocation.has("choose"),
    allowUnverified: invocation.has("allow-unverified"),
    noSandbox: invocation.has("no-sandbox"),
    noFallback: invocation.has("no-fallback"),
    withRequirements: invocation.has("with-requirements"),
    offline: session.globals.offline,
    jobs: invocation.whole("jobs", 1) ?? Math.min(cpus, MOST_DEFAULT_JOBS),
    keepGoing: invocation.has("keep-going"),
    yes: session.globals.yes,
    dryRun: invocation.has("dry-run"),
    set: await readSet(session, invocation, context),
  };
}
