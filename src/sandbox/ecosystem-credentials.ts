import type { Ecosystem } from "../manifest/ecosystems.ts";
import {
  cleanUrl,
  type EcosystemSettings,
  type EcosystemSources,
  elementOf,
  elementsOf,
  parseIni,
  readMavenMirrors,
  writtenUrls,
} from "./ecosystem-settings.ts";

/** This machine's credentials for exactly the registries of `EcosystemSettings`, as the files of a private HOME hold them. */
export interface EcosystemCredentials {
  /** Lines of `.npmrc`. */
  readonly npmrc: readonly string[];
  /** Lines of `.netrc`: pip, uv and go take their logins from there. */
  readonly netrc: readonly string[];
  /** Token of the registry that replaces crates.io. */
  readonly cargoToken: string | null;
  /** Logins by the position of their mirror in `mavenMirrors`. */
  readonly mavenServers: readonly { readonly mirror: number; readonly username: string; readonly password: string }[];
  /** Every form of them that must not be seen in any output. */
  readonly secrets: readonly string[];
}

/** What a step has that no policy gives any. */
export const NO_CREDENTIALS: EcosystemCredentials = {
  npmrc: [],
  netrc: [],
  cargoToken: null,
  mavenServers: [],
  secrets: [],
};

interface Login {
  readonly username: string;
  readonly password: string;
}

const NPM_REGISTRY = "https://registry.npmjs.org/";
const NPM_KEY = /^(\/\/[^\s=]+?):(_authToken|_auth|username|_password)$/u;
/** Printable, and one line: nothing that could become another line of a file. */
const PRINTABLE = /^[\u0020-\u007e]+$/u;
/** Neither `.netrc` nor a plain value of `.npmrc` has a way to write a space that every reader of it knows. */
const WORD = /^[\u0021-\u007e]+$/u;
const PLAIN = /^[\w.+/=~:-]+$/u;

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The user information of a URL, or undefined where it is not both name and password. */
function loginOf(text: string): Login | undefined {
  if (!URL.canParse(text.trim())) return undefined;
  const url = new URL(text.trim());
  try {
    const login = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    return login.username === "" || login.password === "" ? undefined : login;
  } catch {
    return undefined;
  }
}

function withSlash(pathname: string): string {
  return pathname.endsWith("/") ? pathname : `${pathname}/`;
}

/** A key's place (`//host/path/`) as npm looks it up for a registry, or undefined when it is for another one. */
function placeFor(place: string, registry: URL): string | undefined {
  if (!URL.canParse(`${registry.protocol}${place}`)) return undefined;
  const { host, pathname } = new URL(`${registry.protocol}${place}`);
  const own = withSlash(pathname);
  return host === registry.host && withSlash(registry.pathname).startsWith(own) ? `//${host}${own}` : undefined;
}

function readNpm(
  sources: EcosystemSources,
  settings: EcosystemSettings,
  secrets: Set<string>,
): EcosystemCredentials["npmrc"] {
  const registries = (settings.urls.npm.length === 0 ? [NPM_REGISTRY] : settings.urls.npm).map((url) => new URL(url));
  const found = new Map<string, string>();
  const add = (key: string, text: string): void => {
    // npm fills in variables of the caller's environment, and a step has none of them.
    const value = text.replaceAll(/\$\{([^}?]+)(\?)?\}/gu, (whole, name: string, optional?: string) => {
      return sources.env[name] ?? (optional === undefined ? whole : "");
    });
    if (!PRINTABLE.test(value) || value.includes("${") || found.has(key)) return;
    found.set(key, value);
    if (key.endsWith(":username")) return;
    secrets.add(value);
    if (!key.endsWith(":_authToken")) addDecoded(value, secrets);
  };
  const prefix = /^npm_config_(?=\/\/)/iu;
  const inEnvironment = Object.entries(sources.env).flatMap(([name, value]): [string, string][] =>
    prefix.test(name) && value !== undefined ? [[name.replace(prefix, ""), value]] : [],
  );
  for (const [key, value] of [...inEnvironment, ...sources.npmrc.flatMap((text) => [...parseIni(text)])]) {
    const [, place, name] = NPM_KEY.exec(key) ?? [];
    if (place === undefined || name === undefined) continue;
    for (const registry of registries) {
      const own = placeFor(place, registry);
      if (own !== undefined) add(`${own}:${name}`, value);
    }
  }
  for (const text of writtenUrls(sources).npm) {
    const login = loginOf(text);
    const url = cleanUrl(text);
    if (login === undefined || url === undefined) continue;
    const { host, pathname } = new URL(url);
    secrets.add(login.password);
    add(`//${host}${withSlash(pathname)}:_auth`, base64(`${login.username}:${login.password}`));
  }
  return [...found].map(([key, value]) => `${key}=${PLAIN.test(value) ? value : JSON.stringify(value)}`);
}

/** `_auth` and `_password` are base64, and what is in them is as secret. */
function addDecoded(value: string, secrets: Set<string>): void {
  const text = Buffer.from(value, "base64").toString();
  if (!PRINTABLE.test(text)) return;
  secrets.add(text);
  const password = text.slice(text.indexOf(":") + 1);
  if (password !== "") secrets.add(password);
}

/** Logins of a `.netrc` by their host; neither `default` nor macros are anything for one registry. */
function parseNetrc(text: string): Map<string, Login> {
  const logins = new Map<string, Login>();
  for (const [, host = "", rest = ""] of text.matchAll(
    /\bmachine\s+(\S+)((?:\s+(?:login|password|account)\s+\S+)*)/gu,
  )) {
    const username = /\slogin\s+(\S+)/u.exec(rest)?.[1];
    const password = /\spassword\s+(\S+)/u.exec(rest)?.[1];
    if (username !== undefined && password !== undefined && !logins.has(host)) logins.set(host, { username, password });
  }
  return logins;
}

function readNetrc(
  sources: EcosystemSources,
  ecosystems: readonly ("pypi" | "go")[],
  secrets: Set<string>,
): EcosystemCredentials["netrc"] {
  const own = parseNetrc(sources.netrc ?? "");
  const urls = writtenUrls(sources);
  const found = new Map<string, Login>();
  for (const text of ecosystems.flatMap((ecosystem) => urls[ecosystem])) {
    const url = cleanUrl(text);
    if (url === undefined) continue;
    const { hostname } = new URL(url);
    const login = loginOf(text) ?? own.get(hostname);
    if (login === undefined || found.has(hostname)) continue;
    if (!WORD.test(login.username) || !WORD.test(login.password)) continue;
    found.set(hostname, login);
    secrets.add(login.password).add(base64(`${login.username}:${login.password}`));
  }
  return [...found].map(([host, login]) => `machine ${host} login ${login.username} password ${login.password}`);
}

/** The token of the named registry that crates.io is replaced by; crates.io's own is for publishing and stays here. */
function readCargo(sources: EcosystemSources, settings: EcosystemSettings, secrets: Set<string>): string | null {
  const config = parseIni(sources.cargo);
  const stored = parseIni(sources.cargoCredentials ?? "");
  const plain = (text: string | undefined): string | undefined =>
    text?.replace(/\s+#.*$/u, "").replace(/^(["'])(.*)\1$/u, "$2");
  const [crates] = settings.urls.crates;
  for (const [key, value] of config) {
    const name = /^registries\.([\w-]+)\.index$/u.exec(key)?.[1];
    if (name === undefined || crates === undefined) continue;
    if (cleanUrl(plain(value)?.replace(/^sparse\+/u, "")) !== crates) continue;
    const variable = `CARGO_REGISTRIES_${name.toUpperCase().replaceAll("-", "_")}_TOKEN`;
    const tokenKey = `registries.${name}.token`;
    const token = sources.env[variable] ?? plain(stored.get(tokenKey)) ?? plain(config.get(tokenKey));
    if (token === undefined || !PRINTABLE.test(token)) continue;
    secrets.add(token);
    // "Bearer x" is a whole header; x alone is as good.
    secrets.add(token.split(" ").at(-1) ?? token);
    return token;
  }
  return null;
}

function readMaven(sources: EcosystemSources, secrets: Set<string>): EcosystemCredentials["mavenServers"] {
  const fill = (text: string | undefined): string =>
    (text ?? "").replaceAll(/\$\{env\.([^}]+)\}/gu, (whole, name: string) => sources.env[name] ?? whole);
  const servers = elementsOf(sources.maven, "server").map((content) => ({
    id: elementOf(content, "id"),
    username: fill(elementOf(content, "username")),
    password: fill(elementOf(content, "password")),
  }));
  return readMavenMirrors(sources).flatMap(({ id }, mirror) => {
    const server = servers.find((one) => one.id === id && id !== "");
    if (server === undefined) return [];
    const { username, password } = server;
    // `{…}` is encrypted with a key that stays here.
    if (!PRINTABLE.test(username) || !PRINTABLE.test(password) || /^\{.*\}$/u.test(password)) return [];
    secrets.add(password).add(base64(`${username}:${password}`));
    return [{ mirror, username, password }];
  });
}

/**
 * This machine's credentials of some ecosystems, each for the registry that its tool is configured for and no other. Pure;
 * what cannot be written safely into a file of the tool is left out.
 * @param allowed the ecosystems that a policy names and a step declares
 */
export function parseEcosystemCredentials(
  sources: EcosystemSources,
  settings: EcosystemSettings,
  allowed: readonly Ecosystem[],
): EcosystemCredentials {
  const secrets = new Set<string>();
  const logins = (["pypi", "go"] as const).filter((ecosystem) => allowed.includes(ecosystem));
  const found = {
    npmrc: allowed.includes("npm") ? readNpm(sources, settings, secrets) : [],
    netrc: readNetrc(sources, logins, secrets),
    cargoToken: allowed.includes("crates") ? readCargo(sources, settings, secrets) : null,
    mavenServers: allowed.includes("maven") ? readMaven(sources, secrets) : [],
  };
  const encoded = [...secrets].map((secret) => encodeURIComponent(secret));
  return { ...found, secrets: [...new Set([...secrets, ...encoded])].filter((secret) => secret !== "") };
}
