import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { parseGitUrl } from "../core/git-url.ts";
import { escapeUntrusted, escapeUntrustedLines, redactCredentials } from "../core/untrusted-text.ts";
import { TIERS, type Tier, tierOfChange } from "../manifest/change-tier.ts";
import { formatFinding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { ATTESTATIONS } from "../registry/registry-tree.ts";
import type { AttestationSummary } from "../trust/attestation.ts";
import { type OwnManifest, findOwnManifest } from "./own-manifest.ts";
import type { Context } from "./context.ts";
import { findOnPath } from "./find-on-path.ts";
import { lint } from "./lint.ts";
import { readOwnAttestations } from "./own-attestations.ts";

export interface PublishOptions {
  /** Only show what would be done. */
  readonly dryRun: boolean;
  /** Go on without asking. */
  readonly yes: boolean;
  /** Remote to push to; default: `fork`, else `origin`. */
  readonly remote: string | null;
}

/** Part of the JSON contract of `ipm publish`. */
export interface PublishResult {
  readonly name: string;
  readonly version: string;
  readonly tier: Tier;
  readonly branch: string;
  readonly files: readonly string[];
  readonly subject: string;
  /** Text of the commit and of the pull request. */
  readonly body: string;
  readonly remote: string;
  /** The command lines, in their order, as they are run in the registry's repository. */
  readonly commands: readonly (readonly string[])[];
  /** Where the pull request is opened by hand; null where `gh` opens it. */
  readonly page: string | null;
  readonly done: boolean;
}

const COMMAND_TIMEOUT_MS = 5 * 60_000;

/** The caller's own git (and gh), in their own repository, with their own settings: as if they had typed it. */
async function runOwn(
  context: Context,
  cwd: string,
  argv: readonly [string, ...string[]],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [program, ...args] = argv;
  const found = await findOnPath(context.host, program);
  if (found === undefined)
    throw new IpmError("GIT_UNUSABLE", `${program} is not installed`, {
      hint: `install ${program}, then run the command again`,
    });
  const env = Object.fromEntries(
    Object.entries(context.host.facts.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const result = await context.host.processes.run({
    argv: [found, ...args],
    cwd,
    // Nobody is there to type a password into a pipe.
    env: { ...env, GIT_TERMINAL_PROMPT: "0" },
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal: context.host.signal,
  });
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code: result.exitCode, stdout: decode(result.stdout), stderr: decode(result.stderr) };
}

async function ask(context: Context, cwd: string, ...args: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await runOwn(context, cwd, ["git", ...args]);
  return code === 0 ? stdout.trimEnd() : undefined;
}

/** Paths of the entry that differ from the commit, below the registry's root. */
async function changedFiles(context: Context, root: string, name: string): Promise<string[]> {
  const output = await ask(
    context,
    root,
    "status",
    "--porcelain=v1",
    "-z",
    "--untracked-files=all",
    "--",
    `packages/${name}`,
    "sources",
  );
  const prefix = (await ask(context, root, "rev-parse", "--show-prefix")) ?? "";
  return (output ?? "")
    .split("\0")
    .filter((line) => line.length > 3)
    .map((line) => line.slice(3))
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.slice(prefix.length))
    .filter((file) => file.startsWith(`packages/${name}/`) || file === `sources/${name}.bundle`)
    .toSorted();
}

/** The remote that pull requests go to, and its main branch. */
async function baseOf(
  context: Context,
  root: string,
  remotes: readonly string[],
): Promise<{ remote: string; branch: string }> {
  const remote = remotes.includes("upstream") ? "upstream" : "origin";
  const head = await ask(context, root, "symbolic-ref", "--short", `refs/remotes/${remote}/HEAD`);
  return { remote, branch: head?.slice(remote.length + 1) ?? "main" };
}

async function manifestAt(
  context: Context,
  root: string,
  ref: string,
  file: string,
): Promise<ManifestSource | undefined> {
  const text = await ask(context, root, "show", `${ref}:./${file}`);
  const parsed = text === undefined ? undefined : parseManifest(new TextEncoder().encode(`${text}\n`), file);
  return parsed?.ok === true ? parsed.manifest : undefined;
}

function subjectOf(tier: Tier, name: string, version: string): string {
  if (tier === "new") return `feat(registry): add ${name} ${version}`;
  if (tier === "bump") return `chore(registry): bump ${name} to ${version}`;
  return tier === "prose" ? `docs(registry): describe ${name}` : `fix(registry): ${name} ${version}`;
}

function bodyOf(manifest: ManifestSource, tier: Tier, version: string, own: readonly AttestationSummary[]): string {
  const seen = own
    .filter((attestation) => attestation.version === version)
    .map(
      (attestation) =>
        `- ${attestation.method} on ${attestation.platform}, ${attestation.time.slice(0, 10)}, plan ${attestation.digest.slice(0, 12)}`,
    );
  return [
    `${tier}: ${TIERS[tier]}.`,
    "",
    `${manifest.name} ${version}: ${manifest.summary}`,
    manifest.source.git ?? manifest.source.bundle ?? manifest.source.package ?? "",
    "",
    ...(seen.length === 0
      ? ["Not verified on the contributor's machine."]
      : ["Verified on the contributor's machine (words, not an attestation):", ...seen]),
  ]
    .map((line) => escapeUntrustedLines(line))
    .join("\n");
}

/** The page on which a pull request is opened by hand, for a forge that is known. */
function pageOf(url: string | undefined, branch: string): string | null {
  if (url === undefined) return null;
  const https = url.replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/u, "https://$1/");
  const parsed = parseGitUrl(https);
  if (!parsed.ok || parsed.value.transport !== "https") return null;
  return `${redactCredentials(https).replace(/\.git$/u, "")}/compare/${branch.split("/").map(encodeURIComponent).join("/")}?expand=1`;
}

async function demandClean(context: Context, own: OwnManifest, files: readonly string[]): Promise<void> {
  const attestation = files.find((file) => file.includes(`/${ATTESTATIONS}/`));
  if (attestation !== undefined) {
    throw new IpmError(
      "REGISTRY_INVALID",
      `${escapeUntrusted(attestation)} is an attestation, which no contribution brings`,
      {
        hint: `remove it: the registry's own verification writes it after the merge`,
        data: { files },
      },
    );
  }
  const report = await lint(context, [own.path], { offline: true, fix: false });
  const errors = report.findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new IpmError("MANIFEST_INVALID", errors.map(formatFinding).join("\n"), {
    hint: `ipm lint ${own.shown}`,
    data: { findings: errors },
  });
}

/**
 * Bring an entry of the registry in the current folder to a pull request: a branch, one commit with this entry alone, a
 * push to the contributor's fork, and the page (by `gh` where it is there). Everything is shown first.
 * @throws IpmError MANIFEST_MISSING, MANIFEST_INVALID, REGISTRY_INVALID (no git repository, nothing to publish, an
 *   attestation), USAGE (nobody to ask and no --yes), DECLINED, STEP_FAILED (git or gh said no)
 */
export async function publish(context: Context, typed: string, options: PublishOptions): Promise<PublishResult> {
  const own = await findOwnManifest(context, typed);
  const { manifest, registry } = own;
  if (registry === null) {
    throw new IpmError("REGISTRY_INVALID", `${escapeUntrusted(own.shown)} is in no registry`, {
      hint: `fork the registry, check it out, and move the file to packages/${manifest.name}/manifest.yaml`,
    });
  }
  if ((await ask(context, registry, "rev-parse", "--is-inside-work-tree")) !== "true") {
    throw new IpmError("REGISTRY_INVALID", `${escapeUntrusted(registry)} is no checkout of a git repository`, {
      hint: "git clone YOUR-FORK, and run the command in it",
    });
  }
  const files = await changedFiles(context, registry, manifest.name);
  await demandClean(context, own, files);
  if (files.length === 0) {
    throw new IpmError("REGISTRY_INVALID", `${manifest.name} has no change to publish`, {
      hint: `ipm bump ${manifest.name}`,
    });
  }
  const remotes = ((await ask(context, registry, "remote")) ?? "").split("\n").filter((line) => line !== "");
  const remote = options.remote ?? (remotes.includes("fork") ? "fork" : "origin");
  const base = await baseOf(context, registry, remotes);
  const file = path.relative(registry, own.path).split(path.sep).join("/");
  const before =
    (await manifestAt(context, registry, `${base.remote}/${base.branch}`, file)) ??
    (await manifestAt(context, registry, "HEAD", file));
  const tier = tierOfChange(before, manifest);
  const version = manifest.versions[0]?.version ?? "";
  const branch = `ipm/${manifest.name}-${version}`;
  const subject = subjectOf(tier, manifest.name, version);
  const body = bodyOf(manifest, tier, version, await readOwnAttestations(context.host, manifest.name, version));
  const hasGh = (await findOnPath(context.host, "gh")) !== undefined;
  // As it is written, before the user's own rewrites: a page is at the forge, wherever the push goes.
  const remoteUrl = await ask(context, registry, "config", "--get", `remote.${remote}.url`);
  const current = await ask(context, registry, "branch", "--show-current");
  const commands: (readonly [string, ...string[]])[] = [
    ...(current === branch ? [] : [["git", "switch", "-c", branch] as const]),
    ["git", "add", "--", ...files],
    ["git", "commit", "-m", subject, "-m", body, "--", ...files],
    ["git", "push", "--set-upstream", "--", remote, branch],
    ...(hasGh ? [["gh", "pr", "create", "--title", subject, "--body", body, "--base", base.branch] as const] : []),
  ];
  const result: PublishResult = {
    name: manifest.name,
    version,
    tier,
    branch,
    files,
    subject,
    body,
    remote: redactCredentials(remoteUrl ?? remote),
    commands,
    page: hasGh ? null : pageOf(remoteUrl, branch),
    done: false,
  };
  if (options.dryRun) return result;
  if (!options.yes) {
    if (context.ask === null) {
      throw new IpmError("USAGE", "there is nobody to ask whether to publish", {
        hint: `ipm publish ${manifest.name} --dry-run shows everything; --yes does it`,
      });
    }
    const agreed = await context.ask({
      kind: "confirm",
      text: `Push ${branch} to ${escapeUntrusted(result.remote)}${hasGh ? " and open a pull request" : ""}?`,
      detail: [subject, ...files.map(escapeUntrusted)],
      default: false,
    });
    if (!agreed) throw new IpmError("DECLINED", `${manifest.name} was not published`, { hint: "nothing was changed" });
  }
  for (const command of commands) {
    const { code, stdout, stderr } = await runOwn(context, registry, command);
    if (code === 0) continue;
    const words = redactCredentials(escapeUntrustedLines(`${stderr}${stdout}`.trim()));
    throw new IpmError("STEP_FAILED", `${command.slice(0, 2).join(" ")} failed: ${words.slice(-600)}`, {
      hint: "the commits and branches that were made are still there; ipm publish --dry-run shows the rest",
      data: { command: command.slice(0, 3), exitCode: code },
    });
  }
  return { ...result, done: true };
}
