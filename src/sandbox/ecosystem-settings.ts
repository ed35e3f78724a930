import type { Ecosystem } from "../manifest/ecosystems.ts";

/**
 * Where this machine's package managers are configured to go. Credentials are never part of it: user information of a
 * URL is removed, tokens are not read. Those that a policy allows are `EcosystemCredentials`.
 */
export interface EcosystemSettings {
  /** Base URLs; empty: the ecosystem's public hosts. The first one is the default registry. */
  readonly urls: Readonly<Record<Ecosystem, readonly string[]>>;
  /** npm scope (`@team`) to its registry. */
  readonly npmScopes: Readonly<Record<string, string>>;
  /** Mirrors of Maven's `settings.xml`, in their order. */
  readonly mavenMirrors: readonly { readonly url: string; readonly mirrorOf: string }[];
  /** `sum.golang.org`, another one, or `off`; null when not configured. */
  readonly goSumdb: string | null;
  /** Files with certificates that are trusted besides the system's. */
  readonly certificates: readonly string[];
  /** The proxy that this machine needs to get out, for each scheme. */
  readonly upstream: {
    readonly https: string | null;
    readonly http: string | null;
    readonly except: readonly string[];
  };
}

/** Contents of the configuration files, and the caller's environment. */
export interface EcosystemSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `.npmrc` files, the one that wins first. */
  readonly npmrc: readonly string[];
  /** `pip.conf` files, the one that wins first. */
  readonly pip: readonly string[];
  /** Cargo's `config.toml`. */
  readonly cargo: string;
  /** Go's `env` file. */
  readonly go: string;
  /** Maven's `settings.xml`. */
  readonly maven: string;
  /** What holds nothing but credentials: read only where a policy allows some. */
  readonly cargoCredentials?: string;
  readonly netrc?: string;
}

/** A URL without user information, query and fragment; undefined for anything but http and https. */
export function cleanUrl(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  if (trimmed === undefined || !URL.canParse(trimmed)) return undefined;
  const url = new URL(trimmed);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  return url.href;
}

function cleanUrls(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.map(cleanUrl).filter((url) => url !== undefined))];
}

/** `key = value` lines of an ini file by `section.key`; the first one of a key wins. */
export function parseIni(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split(/\r?\n/u)) {
    const heading = /^\s*\[([^\]]+)\]\s*$/u.exec(line)?.[1];
    if (heading !== undefined) section = `${heading.trim()}.`;
    const match = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/u.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const key = `${section}${match[1]}`;
    if (!values.has(key)) values.set(key, match[2].replace(/^(["'])(.*)\1$/u, "$2"));
  }
  return values;
}

function firstOf(files: readonly Map<string, string>[], key: string): string | undefined {
  return files.find((file) => file.has(key))?.get(key);
}

function readNpm(sources: EcosystemSources): {
  urls: string[];
  written: string[];
  scopes: Record<string, string>;
  cafile: string | undefined;
} {
  const files = sources.npmrc.map(parseIni);
  const env = (name: string): string | undefined =>
    sources.env[`npm_config_${name}`] ?? sources.env[`NPM_CONFIG_${name.toUpperCase()}`];
  const scopes: Record<string, string> = {};
  const written: string[] = [];
  for (const file of files) {
    for (const [key, value] of file) {
      const scope = /^(@[a-z0-9~-][a-z0-9._~-]*):registry$/u.exec(key)?.[1];
      const url = cleanUrl(value);
      if (scope === undefined || url === undefined || scopes[scope] !== undefined) continue;
      scopes[scope] = url;
      written.push(value);
    }
  }
  const set = env("registry") ?? firstOf(files, "registry");
  const registry = cleanUrl(set);
  if (set !== undefined) written.unshift(set);
  const urls = [...(registry === undefined ? [] : [registry]), ...Object.values(scopes)];
  // Scopes alone leave the default registry where it is.
  if (registry === undefined && urls.length > 0) urls.unshift("https://registry.npmjs.org/");
  return { urls: [...new Set(urls)], written, scopes, cafile: env("cafile") ?? firstOf(files, "cafile") };
}

function readPip(sources: EcosystemSources): { urls: string[]; written: string[]; cert: string | undefined } {
  const files = sources.pip.map(parseIni);
  const value = (name: string): string | undefined => {
    const set = sources.env[`PIP_${name.toUpperCase().replaceAll("-", "_")}`];
    return set ?? firstOf(files, `global.${name}`) ?? firstOf(files, `install.${name}`);
  };
  const more = (value("extra-index-url") ?? "").split(/\s+/u);
  const written = [value("index-url") ?? "", ...more];
  const index = cleanUrl(value("index-url"));
  const extra = cleanUrls(more);
  const urls = index === undefined && extra.length > 0 ? ["https://pypi.org/simple", ...extra] : [index, ...extra];
  const all = urls.filter((url) => url !== undefined);
  // The public index keeps its files on a host of its own.
  if (all.some((url) => new URL(url).hostname === "pypi.org")) all.push("https://files.pythonhosted.org/");
  return { urls: all, written, cert: value("cert") };
}

/** Where `source.crates-io` is replaced by in a `config.toml`: the few keys that matter, in the plain forms of TOML. */
function readCargo(sources: EcosystemSources): { urls: string[]; cainfo: string | undefined } {
  const values = parseIni(sources.cargo);
  const get = (key: string): string | undefined =>
    values
      .get(key)
      ?.replace(/\s+#.*$/u, "")
      .replace(/^(["'])(.*)\1$/u, "$2");
  const cainfo = sources.env["CARGO_HTTP_CAINFO"] ?? get("http.cainfo");
  const name = get("source.crates-io.replace-with");
  const registry = name === undefined ? undefined : (get(`source.${name}.registry`) ?? get(`registries.${name}.index`));
  const url = cleanUrl(registry?.replace(/^sparse\+/u, ""));
  return { urls: url === undefined ? [] : [url], cainfo };
}

function readGo(sources: EcosystemSources): { urls: string[]; written: string[]; sumdb: string | null } {
  const file = parseIni(sources.go);
  const value = (name: string): string | undefined => sources.env[name] ?? file.get(name);
  // "direct" would go to any host: what is not in a proxy cannot be fetched.
  const written = (value("GOPROXY") ?? "").split(/[,|]/u);
  const urls = cleanUrls(written);
  const set = value("GOSUMDB")?.trim();
  const sumdb = set === undefined || set === "" ? null : set;
  const [, sumUrl] = sumdb?.split(/\s+/u) ?? [];
  if (urls.length > 0 && sumdb !== "off") {
    const own = cleanUrl(sumUrl) ?? `https://${sumdb?.split("+")[0] ?? "sum.golang.org"}/`;
    return { urls: [...urls, own], written, sumdb };
  }
  return { urls, written, sumdb };
}

/** The text of an XML element within another one's content. */
export function elementOf(content: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`, "u").exec(content)?.[1]?.trim();
  return text?.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** The contents of all XML elements of a name, without those in comments. */
export function elementsOf(content: string, name: string): string[] {
  const text = content.replaceAll(/<!--[\s\S]*?-->/gu, "");
  return [...text.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "gu"))].map(([, inner = ""]) => inner);
}

/** The mirrors of Maven in their order; the id is what a server with credentials is found by. */
export function readMavenMirrors(sources: EcosystemSources): { id: string; url: string; mirrorOf: string }[] {
  return elementsOf(sources.maven, "mirror").flatMap((content) => {
    const url = cleanUrl(elementOf(content, "url"));
    const id = elementOf(content, "id") ?? "";
    return url === undefined ? [] : [{ id, url, mirrorOf: elementOf(content, "mirrorOf") ?? "*" }];
  });
}

/** URLs as they are written, with their user information, of the ecosystems whose tools take it from there. */
export function writtenUrls(sources: EcosystemSources): Readonly<Record<"npm" | "pypi" | "go", readonly string[]>> {
  return { npm: readNpm(sources).written, pypi: readPip(sources).written, go: readGo(sources).written };
}

/** An environment variable in either case; the lower one wins, as curl has it. */
function eitherCase(env: EcosystemSources["env"], name: string): string | null {
  return env[name.toLowerCase()] || env[name.toUpperCase()] || null;
}

/** Where programs look for the path of a file with certificates: read from the caller, set for a step. */
export const CERTIFICATE_VARIABLES = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
  "GIT_SSL_CAINFO",
];

/** Read the settings out of the files' texts and the caller's environment. Pure; what cannot be read is left out. */
export function parseEcosystemSettings(sources: EcosystemSources): EcosystemSettings {
  const npm = readNpm(sources);
  const pip = readPip(sources);
  const cargo = readCargo(sources);
  const go = readGo(sources);
  const mirrors = readMavenMirrors(sources).map(({ url, mirrorOf }) => ({ url, mirrorOf }));
  const files = [npm.cafile, pip.cert, cargo.cainfo, ...CERTIFICATE_VARIABLES.map((name) => sources.env[name])];
  return {
    urls: {
      npm: npm.urls,
      pypi: pip.urls,
      crates: cargo.urls,
      go: go.urls,
      maven: [...new Set(mirrors.map(({ url }) => url))],
    },
    npmScopes: npm.scopes,
    mavenMirrors: mirrors,
    goSumdb: go.sumdb,
    certificates: [...new Set(files.filter((file) => file !== undefined && file.startsWith("/")))].filter(
      (file) => file !== undefined,
    ),
    upstream: {
      https: eitherCase(sources.env, "https_proxy") ?? eitherCase(sources.env, "all_proxy"),
      http: sources.env["http_proxy"] ?? eitherCase(sources.env, "all_proxy"),
      except: (eitherCase(sources.env, "no_proxy") ?? "")
        .split(/[,\s]+/u)
        .filter((item) => item !== "")
        .map((item) => item.toLowerCase()),
    },
  };
}
