import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { sha256Hex } from "../core/canonical-json.ts";
import { findToolchains } from "../execute/execution.ts";
import { LineSplitter } from "../execute/output-lines.ts";
import { stepEnvironment } from "../execute/step-environment.ts";
import { type PackageReference, formatPackageReference } from "../manifest/package-reference.ts";
import { packageRecipeOf } from "../plan/expand-steps.ts";
import { unmetRequirements } from "../plan/requirements.ts";
import { findPackageFailure } from "../recipes/package-failure.ts";
import type { PackageAnswer, PackageQuery } from "../recipes/package-recipe.ts";
import { grantsOfStep } from "../sandbox/grants.ts";
import { allowedCredentials } from "../trust/policy.ts";
import type { Context } from "./context.ts";
import { probeRequirements } from "./probe-requirements.ts";
import { readPolicies } from "./read-policies.ts";
import { requirementMissing } from "./requirement-missing.ts";
import { sourceContext } from "./source-context.ts";

/** Lines of the client that are kept for a failure. */
const LAST_LINES = 20;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The failure of a client, by its own words where they tell. */
function failureOf(reference: PackageReference, lines: readonly string[]): IpmError {
  const name = formatPackageReference(reference);
  const failure = findPackageFailure(lines);
  const data = { package: name, lastLines: lines.slice(-10) };
  if (failure === undefined) {
    const [said = "it said nothing"] = lines.slice(-1);
    return new IpmError("PACKAGE_UNUSABLE", `${name}: asking for it failed: ${said}`, {
      hint: "add --verbose for the client's own words",
      data,
    });
  }
  const hints = {
    PACKAGE_NOT_FOUND: `look for its name and versions in the registry of ${reference.ecosystem}`,
    PACKAGE_MISMATCH: "do not use it; a mirror in between may be broken",
    PACKAGE_UNREACHABLE: "check the network, the proxy and the mirror that the ecosystem's own tool is configured for",
    OFFLINE: "run the command once without --offline",
  };
  const what =
    failure.code === "PACKAGE_NOT_FOUND" ? "the registry does not have it, or not in this version" : failure.what;
  return new IpmError(failure.code, `${name}: ${what}`, { hint: hints[failure.code], data });
}

async function run(context: Context, reference: PackageReference, query: PackageQuery, folder: string): Promise<void> {
  const { host } = context;
  const requirements = await probeRequirements(host, query.requires);
  const unmet = unmetRequirements(requirements);
  if (unmet.length > 0) throw await requirementMissing(host, formatPackageReference(reference), "", unmet, []);
  const toolchains = await findToolchains(host, { requirements }, "build");
  const wanted = context.sandboxFor(false);
  // Clients run nothing of a package here: without a sandbox they are what they are everywhere else.
  const sandbox = (await wanted.probe()).state === "ok" ? wanted : context.sandboxFor(true);
  const folders = {
    source: path.join(folder, "source"),
    prefix: path.join(folder, "prefix"),
    home: path.join(folder, "home"),
    tmp: path.join(folder, "tmp"),
  };
  for (const one of Object.values(folders)) await host.files.createFolder(one);
  for (const [name, text] of Object.entries(query.files)) await host.files.write(path.join(folders.source, name), text);
  const step = { ...query.step, id: "1", recipe: null };
  const lines: string[] = [];
  const tool = formatPackageReference(reference);
  const splitters = {
    stdout: new LineSplitter((line) => take("stdout", line)),
    stderr: new LineSplitter((line) => take("stderr", line)),
  };
  const take = (stream: "stdout" | "stderr", line: string): void => {
    if (lines.push(line) > LAST_LINES) lines.shift();
    context.emit({ type: "step.output", tool, id: step.id, stream, line });
  };
  const result = await sandbox.run({
    argv: ["/bin/sh", "-eu", "-c", typeof step.run === "string" ? step.run : step.run.join(" "), "step"],
    cwd: folders.source,
    env: stepEnvironment(step, {
      paths: folders,
      version: "",
      toolchains: toolchains.map(({ bin }) => bin),
      jobs: 1,
      inputs: {},
    }),
    timeoutMs: step.timeoutMs,
    signal: host.signal,
    onOutput: (stream, chunk) => splitters[stream].write(chunk),
    grants: grantsOfStep(step, folders, toolchains, allowedCredentials(await readPolicies(context))),
  });
  splitters.stdout.end();
  splitters.stderr.end();
  host.signal.throwIfAborted();
  if (result.exitCode !== 0 || result.timedOut) throw failureOf(reference, lines);
}

/**
 * Ask an ecosystem's registry for a version of a package and resolve its lock: by its ordinary client, as it is configured
 * on this machine, isolated like a step. Nothing but ipm's cache is written, for the time of the question.
 * @param version null: the newest that is no pre-release
 * @throws IpmError PACKAGE_NOT_FOUND, PACKAGE_UNREACHABLE, PACKAGE_UNUSABLE, LOCK_INVALID, OFFLINE, REQUIREMENT_MISSING,
 *   MANIFEST_INVALID for an ecosystem whose packages cannot be installed
 */
export async function askEcosystem(
  context: Context,
  reference: PackageReference,
  version: string | null,
): Promise<PackageAnswer> {
  const { files, homes } = context.host;
  const recipe = packageRecipeOf(reference);
  const tool = formatPackageReference(reference);
  if (context.offline === true) {
    throw new IpmError("OFFLINE", `${tool} is known to its registry alone, and --offline was given`, {
      hint: "run the command without --offline",
    });
  }
  const query = recipe.ask(reference, version);
  const key = `ask-${sha256Hex(tool).slice(0, 16)}`;
  const started = context.host.monotonicMs();
  context.emit({ type: "phase.started", tool, phase: "fetch", detail: `the registry of ${reference.ecosystem}` });
  const answer = await sourceContext(context).lock(key, async () => {
    // Real, because a sandbox shows folders where they really are.
    await files.createFolder(homes.cache);
    const folder = path.join((await files.realPath(homes.cache)) ?? homes.cache, key);
    // Of a run that was killed.
    await files.remove(folder);
    try {
      await run(context, reference, query, folder);
      const answers: Record<string, string> = {};
      for (const name of query.answers) {
        const place = path.join(folder, "source", name);
        const facts = await files.facts(place);
        const text = facts?.kind === "file" && facts.size <= MAX_ANSWER_BYTES ? await files.readText(place) : undefined;
        if (text !== undefined) answers[name] = text;
      }
      return recipe.read(answers, reference);
    } finally {
      await files.remove(folder);
    }
  });
  const ms = Math.round(context.host.monotonicMs() - started);
  context.emit({ type: "phase.finished", tool, phase: "fetch", ms, detail: answer.integrity });
  return answer;
}
