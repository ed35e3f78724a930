import { describe, expect, test } from "vitest";
import type { Ecosystem } from "../../../src/manifest/ecosystems.ts";
import { parseEcosystemCredentials } from "../../../src/sandbox/ecosystem-credentials.ts";
import { type EcosystemSources, parseEcosystemSettings } from "../../../src/sandbox/ecosystem-settings.ts";
import { grantsOfStep } from "../../../src/sandbox/grants.ts";
import { networkSetup } from "../../../src/sandbox/network-setup.ts";
import { networkTargets } from "../../../src/sandbox/network-target.ts";

const NOTHING: EcosystemSources = { env: {}, npmrc: [], pip: [], cargo: "", go: "", maven: "" };
const EVERY: readonly Ecosystem[] = ["npm", "pypi", "crates", "go", "maven"];

/** The files of a private HOME and the environment of a step that declares every ecosystem. */
function setupFor(sources: Partial<EcosystemSources>, allowed: readonly Ecosystem[]) {
  const all = { ...NOTHING, ...sources };
  const settings = parseEcosystemSettings(all);
  const credentials = parseEcosystemCredentials(all, settings, allowed);
  const place = { port: 3128, trust: null };
  const setup = networkSetup(EVERY, networkTargets(EVERY, settings), settings, "~", place, credentials);
  return { ...setup, secrets: credentials.secrets, texts: new Map(setup.files.map((file) => [file.path, file])) };
}

const SOURCES: Partial<EcosystemSources> = {
  env: { PIP_INDEX_URL: "https://bob:pip%2Dsecret@pip.example/simple", GOPROXY: "https://go.example" },
  npmrc: ["registry=https://npm.example/team/\n//npm.example/team/:_authToken=npm-secret\n"],
  cargo:
    '[source.crates-io]\nreplace-with = "corp"\n\n[registries.corp]\nindex = "sparse+https://crates.example/index/"\n',
  cargoCredentials: '[registry]\ntoken = "publish-secret"\n\n[registries.corp]\ntoken = "crates-secret"\n',
  netrc: "machine other.example login x password other-secret\nmachine go.example\n  login bob\n  password go-secret\n",
  maven:
    "<settings><servers><server><id>corp</id><username>bob</username><password>maven-secret</password></server><server><id>deploy</id><username>bob</username><password>deploy-secret</password></server></servers><mirrors><mirror><id>corp</id><url>https://maven.example/</url></mirror></mirrors></settings>",
};

test.each([
  ["npm", "npm-secret", "~/.npmrc", "//npm.example/team/:_authToken=npm-secret"],
  ["pypi", "pip-secret", "~/.netrc", "machine pip.example login bob password pip-secret"],
  ["crates", "crates-secret", "~/.cargo/credentials.toml", 'token = "crates-secret"'],
  ["go", "go-secret", "~/.netrc", "machine go.example login bob password go-secret"],
  [
    "maven",
    "maven-secret",
    "~/.m2/settings.xml",
    "<server><id>ipm-0</id><username>bob</username><password>maven-secret</password></server>",
  ],
] as const)(
  "C47: %s alone gets its credentials, in one file that goes away with the step",
  (name, secret, file, line) => {
    const { files, env, secrets, texts } = setupFor(SOURCES, [name]);
    expect(texts.get(file)?.content).toContain(line);
    expect(files.filter((one) => one.secret === true).map((one) => one.path)).toEqual([file]);
    expect(secrets).toContain(secret);
    expect(JSON.stringify(env)).not.toContain("secret");
    const found = new Set(JSON.stringify(files.map(({ content }) => content)).match(/[a-z]+-secret/gu));
    expect([...found]).toEqual([secret]);
  },
);

test("C47: without a policy nothing is in it", () => {
  const { files, secrets } = setupFor(SOURCES, []);
  expect(JSON.stringify(files)).not.toContain("-secret");
  expect(files.filter(({ secret }) => secret === true)).toEqual([]);
  expect(secrets).toEqual([]);
});

test("C47: a step gets those that it declares itself", () => {
  const step = {
    kind: "run",
    id: "1",
    title: "x",
    run: "true",
    dir: null,
    env: {},
    network: ["npm", "example.org"],
    timeoutMs: 1,
    why: null,
    recipe: null,
  } as const;
  const folders = { prefix: "/p", source: "/s", home: "/h", tmp: "/t" };
  expect(grantsOfStep(step, folders, [], ["npm", "pypi"]).credentials).toEqual(["npm"]);
  expect(grantsOfStep(step, folders, []).credentials).toEqual([]);
});

describe("npm", () => {
  const npmrc = (text: string, env: Record<string, string> = {}): string =>
    setupFor({ npmrc: [text], env }, ["npm"]).texts.get("~/.npmrc")?.content ?? "";

  test("C47: another host, port or path keeps its token", () => {
    const text = npmrc(
      [
        "registry=https://npm.example/a/",
        "//npm.example/:_authToken=host",
        "//npm.example/b/:_authToken=no-1",
        "//npm.example:8443/:_authToken=no-2",
        "//evil.example/:_authToken=no-3",
        "//npm.example.evil/:_authToken=no-4",
        "_authToken=no-5",
      ].join("\n"),
    );
    expect(text).toBe("registry=https://npm.example/a/\n//npm.example/:_authToken=host\n");
  });

  test("a scope's registry, the public one by default, and every form of a login", () => {
    expect(npmrc("//registry.npmjs.org/:_authToken=t")).toBe("//registry.npmjs.org/:_authToken=t\n");
    expect(
      npmrc("@team:registry=https://t.example/\n//t.example/:username=bob\n//t.example/:_password=c2VjcmV0"),
    ).toContain("//t.example/:username=bob\n//t.example/:_password=c2VjcmV0\n");
    expect(npmrc("registry=https://bob:hunter2@npm.example/x")).toBe(
      `registry=https://npm.example/x\n//npm.example/x/:_auth=${JSON.stringify(btoa("bob:hunter2")).slice(1, -1)}\n`,
    );
  });

  test("a variable is filled in from the caller's environment, and what is not there is left out", () => {
    const text = "//registry.npmjs.org/:_authToken=${TOKEN}";
    expect(npmrc(text, { TOKEN: "t" })).toBe("//registry.npmjs.org/:_authToken=t\n");
    expect(npmrc(text)).toBe("");
    expect(npmrc(text, { TOKEN: "t\nregistry=https://evil.example/" })).toBe("");
    expect(npmrc("", { "npm_config_//registry.npmjs.org/:_authToken": "t" })).toContain("_authToken=t");
  });

  test("what base64 hides is as secret", () => {
    const { secrets } = setupFor({ npmrc: [`//registry.npmjs.org/:_auth=${btoa("bob:hunter2")}`] }, ["npm"]);
    expect(secrets).toEqual(expect.arrayContaining([btoa("bob:hunter2"), "bob:hunter2", "hunter2"]));
  });
});

test("the token of crates.io itself is for publishing, and one of another registry is for that one", () => {
  const { secrets } = setupFor(
    {
      cargo: `${SOURCES.cargo}\n[registries.other]\nindex = "sparse+https://other.example/"\ntoken = "other-secret"\n`,
      cargoCredentials: '[registry]\ntoken = "publish-secret"\n',
    },
    ["crates"],
  );
  expect(secrets).toEqual([]);
});

test("a password that Maven has encrypted is of no use to a step", () => {
  const maven = SOURCES.maven?.replace("maven-secret", "{bWF2ZW4=}") ?? "";
  expect(setupFor({ maven }, ["maven"]).texts.get("~/.m2/settings.xml")?.content).not.toContain("<server>");
});
