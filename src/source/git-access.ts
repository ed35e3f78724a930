import { shownUrl } from "../core/untrusted-text.ts";
import path from "node:path";
import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import { parseGitUrl } from "../core/git-url.ts";
import {
  type GitSetting,
  buildGitConfig,
  isOfUse,
  localPathOf,
  parseGitSettings,
  renderGitSettings,
  rewriteUrl,
  transportOf,
} from "./git-config.ts";
import { gitWords } from "./git-failure.ts";
import { type SourceContext, configFileOf } from "./git-store.ts";
import type { SourceLimits } from "./limits.ts";

/** A source that git may be pointed at: the address, and what its calls need. */
export interface Remote {
  /** What git is given: after the user's own rewrites. */
  readonly url: string;
  /** What people are shown and what the store is keyed by. */
  readonly source: string;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string>>;
}

// What reaching the network behind a company's proxy takes; nothing else of the caller's environment is passed on.
const NETWORK_VARIABLES = [
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
];

/**
 * What ipm takes of one file of the user's settings, as git reads it. git is not asked again for a file that it has read:
 * what was taken is kept beside the other configuration files. A file that includes others says too little to know that.
 * @throws IpmError CONFIG_INVALID when git cannot read it
 */
async function readSettings(context: SourceContext, file: string, home: string): Promise<GitSetting[]> {
  const { files, homes } = context.host;
  const text = await files.readText(file).catch(() => undefined);
  const known =
    text === undefined || /include/iu.test(text)
      ? undefined
      : path.join(homes.cache, "git", "config", `user-${sha256Hex(text).slice(0, 24)}`);
  const kept = known === undefined ? undefined : await files.readText(known);
  if (kept !== undefined) return parseGitSettings(kept);
  const result = await context.host.git.run({
    args: ["config", "--file", file, "--includes", "-z", "--list"],
    cwd: "/",
    configFile: "/dev/null",
    env: { HOME: home },
    timeoutMs: 10_000,
    signal: context.host.signal,
  });
  if (result.exitCode !== 0) {
    throw new IpmError("CONFIG_INVALID", `git cannot read ${file}: ${gitWords(result.stderr)}`, {
      hint: `correct ${file}; "git config --list" shows the line`,
      data: { path: file },
    });
  }
  const taken = parseGitSettings(Buffer.from(result.stdout).toString("utf8")).filter(({ key }) => isOfUse(key));
  if (known !== undefined) {
    await files.createFolder(path.dirname(known));
    // A proxy's URL may hold a password.
    await files.writeDurably(known, renderGitSettings(taken), 0o600);
  }
  return taken;
}

/** What ipm takes of the user's own settings of git, includes followed, in the order in which git reads them. */
export async function readUserSettings(context: SourceContext): Promise<GitSetting[]> {
  const { env } = context.host.facts;
  const home = env["HOME"];
  if (home === undefined || !path.isAbsolute(home)) return [];
  const xdg = env["XDG_CONFIG_HOME"];
  const configHome = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(home, ".config");
  const settings: GitSetting[] = [];
  for (const file of [path.join(configHome, "git", "config"), path.join(home, ".gitconfig")]) {
    // Files of the user that git reads too; a link (dotfiles) is as good as a file.
    if ((await context.host.files.realPath(file)) === undefined) continue;
    settings.push(...(await readSettings(context, file, home)));
  }
  return settings;
}

/**
 * Check the address of a git source: https always, ssh and file only for a source that the user named.
 * @throws IpmError SOURCE_REFUSED for a transport that is not allowed there, credentials in the URL, or another form
 */
export function checkAddress(source: string, named: boolean): void {
  const parsed = parseGitUrl(source);
  if (!parsed.ok) {
    const { kind, message, suggestion } = parsed.problem;
    throw new IpmError("SOURCE_REFUSED", `the URL ${shownUrl(source)} ${message}`, {
      hint:
        kind === "credentials"
          ? "leave the password out; configure a git credential helper instead"
          : `write it as ${suggestion === undefined ? "https://HOST/PATH" : shownUrl(suggestion)}`,
      data: { url: shownUrl(source), problem: kind },
    });
  }
  const { transport } = parsed.value;
  if (named || transport === "https") return;
  throw new IpmError(
    "SOURCE_REFUSED",
    `the URL ${shownUrl(source)} uses ${transport}; a manifest may name https only`,
    {
      hint: "tell the manifest's maintainers, or name the URL on the command line",
      data: { url: shownUrl(source), problem: "transport" },
    },
  );
}

/**
 * Prepare what the calls for a git source need: exactly one transport, credential helpers only for a source that the user
 * named.
 * @throws IpmError SOURCE_REFUSED as `checkAddress`, and when the user's own rewrite leads to a transport that ipm does
 * not use; CONFIG_INVALID when git cannot read the user's configuration
 */
export async function openRemote(
  context: SourceContext,
  source: string,
  named: boolean,
  limits: SourceLimits,
): Promise<Remote> {
  checkAddress(source, named);
  const settings = await readUserSettings(context);
  const { url, rewritten } = rewriteUrl(source, settings);
  const transport = transportOf(url);
  if (transport === null || (transport === "http" && !rewritten)) {
    throw new IpmError(
      "SOURCE_REFUSED",
      `insteadOf in your git configuration turns ${shownUrl(source)} into ${shownUrl(url)}`,
      {
        hint: "ipm reaches https, ssh, http (rewritten by you) and local folders only",
        data: { url: shownUrl(source), rewritten: shownUrl(url) },
      },
    );
  }
  if (context.offline === true && transport !== "file") {
    throw new IpmError("OFFLINE", `${shownUrl(source)} is not on this machine, and --offline was given`, {
      hint: "run the command once without --offline",
      data: { source: shownUrl(source) },
    });
  }
  return remoteAt(context, { url, source, transport, named, settings, limits });
}

interface Destination {
  readonly url: string;
  readonly source: string;
  readonly transport: string;
  readonly named: boolean;
  readonly settings: readonly GitSetting[];
  readonly limits: SourceLimits;
}

async function remoteAt(context: SourceContext, destination: Destination): Promise<Remote> {
  const { url, source, transport, named, settings, limits } = destination;
  const caller = context.host.facts.env;
  const home = caller["HOME"] ?? "/";
  const local = transport === "file" ? localPathOf(url) : undefined;
  const text = buildGitConfig(
    {
      transports: [transport],
      safeDirectories: local === undefined ? [] : [local, path.join(local, ".git")],
      credentials: named,
      stallSeconds: limits.stallSeconds,
    },
    settings,
    home,
  );
  const env: Record<string, string> = {};
  for (const name of NETWORK_VARIABLES) {
    const value = caller[name];
    if (value !== undefined && value !== "") env[name] = value;
  }
  // Credential helpers and ~/.netrc belong to the user: only a source that the user named sees that home.
  if (named || transport === "ssh") env["HOME"] = home;
  const agent = caller["SSH_AUTH_SOCK"];
  if (transport === "ssh" && agent !== undefined) env["SSH_AUTH_SOCK"] = agent;
  return { url, source, configFile: await configFileOf(context, text), env };
}

/** A bundle or folder on this machine, by its absolute path: the file transport and nothing else. */
export function openLocalRemote(context: SourceContext, file: string, limits: SourceLimits): Promise<Remote> {
  return remoteAt(context, { url: file, source: file, transport: "file", named: false, settings: [], limits });
}
