import { IpmError } from "../core/errors.ts";
import type { ManifestInput } from "../manifest/manifest.ts";
import type { SettledInput } from "../plan/build-plan.ts";
import type { Plan, PlanOrigin } from "../plan/plan.ts";
import { readInputs, writeInputs } from "../store/inputs.ts";
import { layoutOf } from "../store/layout.ts";
import type { Context, PlanOptions } from "./context.ts";
import { inTurn } from "./in-turn.ts";

/** More is no value that a variable can carry on every system (Linux: 128 KiB an argument, all together 2 MiB). */
const MAX_VALUE = 64 * 1024;

/** What tells a tool from another one of its name: kept values are handed to no other. */
function identityOf(origin: Pick<PlanOrigin, "registry" | "source">): string {
  // A registry's entry may have several sources, one for each of its methods.
  return origin.registry === null ? origin.source : `registry ${origin.registry}`;
}

function demandValue(env: string, value: string): string {
  if (value === "" || value.length > MAX_VALUE || value.includes("\0")) {
    throw new IpmError(
      "USAGE",
      `the value of ${env} is empty, holds a NUL character or is longer than ${MAX_VALUE} characters`,
      {
        hint: `--set ${env}=VALUE`,
      },
    );
  }
  return value;
}

function inputMissing(tool: string, missing: readonly ManifestInput[]): IpmError {
  const names = missing.map(({ env, why }) => `${env}${why === null ? "" : ` (${why})`}`).join(", ");
  const flags = missing.map(({ env, secret }) => `--set ${env}=${secret ? "@FILE" : "VALUE"}`).join(" ");
  return new IpmError("INPUT_MISSING", `${tool} asks for ${names}, and nobody has given it`, {
    hint: `add ${flags} (NAME=- reads standard input), or export the variable`,
    data: { inputs: missing.map(({ env, secret, why, for: when }) => ({ env, secret, for: when, why })) },
  });
}

async function askFor(context: Context, tool: string, input: ManifestInput): Promise<string> {
  const { prompts, host } = context;
  if (prompts === undefined || prompts === null) throw inputMissing(tool, [input]);
  const value = await inTurn(host, "terminal", () =>
    prompts.text({
      text: `${input.env} for ${tool}:`,
      detail: [
        ...(input.why === null ? [] : [input.why]),
        ...(input.secret ? ["it is not shown, and kept in a file that only you can read"] : []),
      ],
      hidden: input.secret,
    }),
  );
  if (value === null || value === "") throw inputMissing(tool, [input]);
  return demandValue(input.env, value);
}

/**
 * The values of what a manifest asks for: what `--set` gives, else what was given before, else the caller's variable, else
 * what is typed at a terminal. A secret is asked for later (`askSecrets`), when the plan has been agreed to.
 * @param tool `name@version`
 * @throws IpmError INPUT_MISSING with every one that is missing and its flag, USAGE for a value that cannot be one
 */
export async function settleInputs(
  context: Context,
  tool: { readonly name: string; readonly version: string },
  inputs: readonly ManifestInput[],
  origin: Pick<PlanOrigin, "registry" | "source">,
  options: PlanOptions,
): Promise<SettledInput[]> {
  if (inputs.length === 0) return [];
  const { host } = context;
  const layout = layoutOf(host.homes);
  const kept = {
    ...(options.formerName === undefined ? {} : await readInputs(host, layout, options.formerName, identityOf(origin))),
    ...(await readInputs(host, layout, tool.name, identityOf(origin))),
  };
  const found = inputs.map((input): SettledInput => {
    const { env } = input;
    const given = options.set?.[env];
    if (given !== undefined) return { ...input, value: demandValue(env, given), from: "flag" };
    const before = kept[env];
    if (before !== undefined) return { ...input, value: before, from: "kept" };
    // What is verified must not depend on who verifies it.
    const own = options.cleanRoom === true ? "" : (host.facts.env[env] ?? "");
    return own === ""
      ? { ...input, value: null, from: null }
      : { ...input, value: demandValue(env, own), from: "environment" };
  });
  const canAsk = (context.prompts ?? null) !== null;
  const needsSecrets = !options.dryRun && options.cleanRoom !== true;
  const missing = found.filter(({ value, secret }) => value === null && (secret ? needsSecrets : true));
  const name = `${tool.name}@${tool.version}`;
  if (missing.length > 0 && !canAsk) throw inputMissing(name, missing);
  const settled: SettledInput[] = [];
  for (const input of found) {
    if (input.value !== null || input.secret) settled.push(input);
    else settled.push({ ...input, value: await askFor(context, name, input), from: "terminal" });
  }
  return settled;
}

/**
 * Ask for the secrets that are still missing. For after the yes to a plan, and before anything is built.
 * @returns every input's value by its variable
 * @throws IpmError INPUT_MISSING
 */
export async function askSecrets(
  context: Context,
  plan: Plan,
  inputs: readonly SettledInput[],
  options: PlanOptions,
): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  for (const input of inputs) {
    if (input.value !== null) values[input.env] = input.value;
    else if (options.cleanRoom !== true)
      values[input.env] = await askFor(context, `${plan.tool.name}@${plan.tool.version}`, input);
  }
  return values;
}

/**
 * Keep what was given for the tool's launchers and for what comes later. The caller holds the lock of its entries.
 * @returns takes it back, for an installation that does not come about
 */
export async function keepInputs(
  context: Context,
  plan: Plan,
  values: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  if (Object.keys(values).length === 0) return async () => {};
  const { host } = context;
  const layout = layoutOf(host.homes);
  const identity = identityOf(plan.origin);
  // An older version may ask for something that this one does not: going back to it must find it.
  const kept = await readInputs(host, layout, plan.tool.name, identity);
  return writeInputs(host, layout, plan.tool.name, identity, { ...kept, ...values });
}

/**
 * Refuse a `--set` that no plan asks for: it is misspelt, and what it meant would be missing without a word.
 * @throws IpmError USAGE with the inputs that there are
 */
export function demandKnownInputs(plans: readonly Pick<Plan, "what">[], set: PlanOptions["set"]): void {
  const known = [...new Set(plans.flatMap(({ what }) => (what.inputs ?? []).map(({ env }) => env)))];
  const unknown = Object.keys(set ?? {}).filter((env) => !known.includes(env));
  if (plans.length === 0 || unknown.length === 0) return;
  const asks = known.length === 0 ? "nothing is asked for" : `what is asked for: ${known.join(", ")}`;
  throw new IpmError("USAGE", `--set ${unknown.join(", ")}: nothing asks for it; ${asks}`, {
    hint: known[0] === undefined ? "leave --set out" : `--set ${known[0]}=VALUE`,
    data: { unknown, inputs: known },
  });
}
