import { type EcosystemCredentials, NO_CREDENTIALS } from "./ecosystem-credentials.ts";
import { CERTIFICATE_VARIABLES, type EcosystemSettings } from "./ecosystem-settings.ts";
import { TRUSTSTORE_PASSWORD } from "./java-truststore.ts";
import type { NetworkTarget } from "./network-target.ts";

/** Inside: where the bundle of certificates and the forwarder's files are shown. */
export const INSIDE = {
  proxy: "/run/ipm/proxy",
  socket: "/run/ipm/proxy/socket",
  setup: "/run/ipm/setup.json",
  forwarder: "/run/ipm/forwarder.cjs",
  certificates: "/run/ipm/certificates.pem",
  truststore: "/run/ipm/truststore.jks",
} as const;

/** The forwarder's port: the network namespace is empty, so it is always free. */
export const FORWARDER_PORT = 3128;

/** What a step finds inside, and where. */
export interface ProxyPlace {
  /** Port of 127.0.0.1 at which the proxy is reached. */
  readonly port: number;
  /** Bundle of certificates (PEM) and the same as a key store of Java; null: none besides the system's own. */
  readonly trust: { readonly certificates: string; readonly truststore: string } | null;
}

export interface NetworkSetup {
  /** Variables that a step gets besides its own, which win. */
  readonly env: Readonly<Record<string, string>>;
  /** Files below the private HOME, made when they are not there. A secret one is gone when the step has ended. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly secret?: boolean }[];
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function mavenSettings(settings: EcosystemSettings, credentials: EcosystemCredentials, port: number): string {
  const proxies = (["https", "http"] as const).map(
    (protocol) =>
      `<proxy><id>ipm-${protocol}</id><active>true</active><protocol>${protocol}</protocol><host>127.0.0.1</host><port>${port}</port><nonProxyHosts></nonProxyHosts></proxy>`,
  );
  const mirrors = settings.mavenMirrors.map(
    ({ url, mirrorOf }, index) =>
      `<mirror><id>ipm-${index}</id><mirrorOf>${xml(mirrorOf)}</mirrorOf><url>${xml(url)}</url></mirror>`,
  );
  const servers = credentials.mavenServers.map(
    ({ mirror, username, password }) =>
      `<server><id>ipm-${mirror}</id><username>${xml(username)}</username><password>${xml(password)}</password></server>`,
  );
  const logins = servers.length === 0 ? "" : `<servers>${servers.join("")}</servers>`;
  return `<settings><proxies>${proxies.join("")}</proxies>${logins}<mirrors>${mirrors.join("")}</mirrors></settings>\n`;
}

/** System properties for the JVM of Maven or Gradle. */
function javaProperties({ port, trust }: ProxyPlace): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const protocol of ["https", "http"]) {
    properties[`${protocol}.proxyHost`] = "127.0.0.1";
    properties[`${protocol}.proxyPort`] = String(port);
  }
  if (trust === null) return properties;
  return {
    ...properties,
    "javax.net.ssl.trustStore": trust.truststore,
    "javax.net.ssl.trustStoreType": "JKS",
    "javax.net.ssl.trustStorePassword": TRUSTSTORE_PASSWORD,
  };
}

function npmrc(settings: EcosystemSettings, credentials: EcosystemCredentials): string {
  const lines = Object.entries(settings.npmScopes).map(([scope, url]) => `${scope}:registry=${url}`);
  const [registry] = settings.urls.npm;
  if (registry !== undefined) lines.unshift(`registry=${registry}`);
  return [...lines, ...credentials.npmrc].map((line) => `${line}\n`).join("");
}

/** The quotes and backslashes of a TOML basic string are those of JSON. */
function cargoConfig(url: string): string {
  return `[source.crates-io]\nreplace-with = "ipm"\n\n[source.ipm]\nregistry = ${JSON.stringify(`sparse+${url}`)}\n`;
}

/** The same for a registry that asks for a token: only a named registry can have one. */
function cargoConfigWithToken(url: string): string {
  return `[source.crates-io]\nreplace-with = "ipm"\n\n[registries.ipm]\nindex = ${JSON.stringify(`sparse+${url}`)}\n\n[registry]\nglobal-credential-providers = ["cargo:token"]\n`;
}

/** Where a Go module proxy ends and the checksum database begins in the list of a machine's URLs. */
function goEnvironment(settings: EcosystemSettings): Record<string, string> {
  const sumdb = settings.goSumdb;
  const urls = sumdb === "off" ? settings.urls.go : settings.urls.go.slice(0, -1);
  // Without "direct", which would go to any host.
  const proxies = urls.length === 0 ? "https://proxy.golang.org" : urls.map((url) => url.replace(/\/$/u, "")).join(",");
  return { GOPROXY: proxies, GOTOOLCHAIN: "local", ...(sumdb === null ? {} : { GOSUMDB: sumdb }) };
}

/**
 * How the tools of a step are told of the proxy, the mirrors of this machine and its certificates: by environment where
 * a tool reads it, by files in the private HOME where it does not. Credentials are in files alone, and only those that are
 * handed in: `settings` holds none.
 */
export function networkSetup(
  declared: readonly string[],
  targets: readonly NetworkTarget[],
  settings: EcosystemSettings,
  home: string,
  place: ProxyPlace,
  credentials: EcosystemCredentials = NO_CREDENTIALS,
  cargoHome = `${home}/.cargo`,
): NetworkSetup {
  const proxy = `http://127.0.0.1:${place.port}`;
  const env: Record<string, string> = {};
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY"]) {
    env[name] = proxy;
    env[name.toLowerCase()] = proxy;
  }
  // What a step serves itself is reached directly; there is nothing else at these names.
  for (const name of ["NO_PROXY", "no_proxy"]) env[name] = "127.0.0.1,localhost,::1";
  env["NODE_USE_ENV_PROXY"] = "1";
  if (place.trust !== null) {
    for (const name of CERTIFICATE_VARIABLES) {
      env[name] = place.trust.certificates;
    }
  }
  const files: { path: string; content: string; secret?: boolean }[] = [];
  const uses = (ecosystem: string): boolean => declared.includes(ecosystem);
  if (uses("npm") && settings.urls.npm.length + credentials.npmrc.length > 0) {
    const secret = credentials.npmrc.length > 0;
    files.push({ path: `${home}/.npmrc`, content: npmrc(settings, credentials), ...(secret ? { secret } : {}) });
  }
  if (credentials.netrc.length > 0) {
    const content = credentials.netrc.map((line) => `${line}\n`).join("");
    files.push({ path: `${home}/.netrc`, content, secret: true });
  }
  if (uses("pypi")) {
    const [index, ...extra] = settings.urls.pypi.filter((url) => url !== "https://files.pythonhosted.org/");
    if (index !== undefined) Object.assign(env, { PIP_INDEX_URL: index, UV_DEFAULT_INDEX: index });
    if (extra.length > 0) Object.assign(env, { PIP_EXTRA_INDEX_URL: extra.join(" "), UV_INDEX: extra.join(" ") });
    const plain = targets
      .filter(({ declared: word, scheme }) => word === "pypi" && scheme === "http")
      .map(({ host, port }) => `${host}:${port}`);
    if (plain.length > 0) env["PIP_TRUSTED_HOST"] = plain.join(" ");
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1";
  }
  const [crates] = settings.urls.crates;
  if (uses("crates") && crates !== undefined) {
    const token = credentials.cargoToken;
    const content = token === null ? cargoConfig(crates) : cargoConfigWithToken(crates);
    // Where cargo's home is kept for the next build it goes like a secret: the mirror may be another one then.
    const isKept = cargoHome !== `${home}/.cargo`;
    files.push({ path: `${cargoHome}/config.toml`, content, ...(isKept ? { secret: true } : {}) });
    if (token !== null) {
      const login = `[registries.ipm]\ntoken = ${JSON.stringify(token)}\n`;
      files.push({ path: `${cargoHome}/credentials.toml`, content: login, secret: true });
    }
  }
  if (uses("go")) Object.assign(env, goEnvironment(settings));
  if (uses("maven")) {
    const properties = Object.entries(javaProperties(place));
    env["MAVEN_OPTS"] = properties.map(([name, value]) => `-D${name}=${value}`).join(" ");
    files.push(
      {
        path: `${home}/.m2/settings.xml`,
        content: mavenSettings(settings, credentials, place.port),
        ...(credentials.mavenServers.length > 0 ? { secret: true } : {}),
      },
      {
        path: `${home}/.gradle/gradle.properties`,
        content: properties.map(([name, value]) => `systemProp.${name}=${value}\n`).join(""),
      },
    );
  }
  return { env, files };
}

/**
 * The certificates of a PEM text and nothing else of it: a private key in the same file must not be shown to a step.
 */
export function certificatesOf(text: string): string {
  const blocks =
    text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:TRUSTED )?CERTIFICATE-----/gu) ??
    [];
  return blocks.map((block) => `${block}\n`).join("");
}

/** What the forwarder is told: `node FORWARDER SETUP COMMAND…`. */
export interface ForwarderSetup {
  /** The command's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly files: NetworkSetup["files"];
  /** Where to listen and which socket to hand connections to; null: the proxy is reached without it. */
  readonly forward: { readonly port: number; readonly socket: string } | null;
}

/**
 * The program that stands between a step with network and its proxy: it writes the settings into the private HOME,
 * listens on 127.0.0.1 of the empty network namespace, hands connections to the socket that is shown inside, starts the
 * step's command with its whole environment, and ends as the command does. It runs inside, with no more rights than the
 * step: a link that the step has planted in its HOME leads it nowhere that the step cannot go.
 */
export const FORWARDER_PROGRAM = `"use strict";
const fs = require("node:fs"), net = require("node:net"), os = require("node:os"), path = require("node:path");
const { spawn } = require("node:child_process");
const [setupFile, program, ...args] = process.argv.slice(2);
const setup = JSON.parse(fs.readFileSync(setupFile, "utf8"));
const secrets = [];
for (const { path: file, content, secret } of setup.files) {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content, { flag: "wx", mode: 0o600 });
    if (secret) secrets.push(file);
  } catch {}
}
// The HOME is the next step's too, and that one may reach somebody else.
process.on("exit", () => {
  for (const file of secrets) fs.rmSync(file, { force: true });
});
const start = () => {
  const child = spawn(program, args, { stdio: "inherit", env: setup.env });
  child.on("error", (error) => {
    fs.writeSync(2, error.message + "\\n");
    process.exit(127);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 128 + os.constants.signals[signal]));
};
if (setup.forward === null) start();
else {
  const server = net.createServer((client) => {
    const outside = net.connect(setup.forward.socket);
    client.pipe(outside).pipe(client);
    client.on("error", () => outside.destroy());
    outside.on("error", () => client.destroy());
    client.on("close", () => outside.destroy());
    outside.on("close", () => client.destroy());
  });
  server.listen(setup.forward.port, "127.0.0.1", start);
}
`;
