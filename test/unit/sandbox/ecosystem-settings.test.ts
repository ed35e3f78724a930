import { describe, expect, test } from "vitest";
import { type EcosystemSources, parseEcosystemSettings } from "../../../src/sandbox/ecosystem-settings.ts";
import { INSIDE, certificatesOf, networkSetup } from "../../../src/sandbox/network-setup.ts";
import { networkTargets } from "../../../src/sandbox/network-target.ts";

const NOTHING: EcosystemSources = { env: {}, npmrc: [], pip: [], cargo: "", go: "", maven: "" };
const PLAIN = { port: 3128, trust: null };
const TRUSTED = { port: 3128, trust: INSIDE };
const ALL = ["npm", "pypi", "crates", "go", "maven"];

function read(sources: Partial<EcosystemSources>): ReturnType<typeof parseEcosystemSettings> {
  return parseEcosystemSettings({ ...NOTHING, ...sources });
}

describe("parseEcosystemSettings", () => {
  test("reads every ecosystem's mirror where its own tool has it", () => {
    const { urls } = read({
      npmrc: ["# comment\nregistry = https://npm.example/\n"],
      pip: ["[global]\nindex-url = https://pip.example/simple\nextra-index-url = https://more.example/simple\n"],
      cargo:
        '[source.crates-io]\nreplace-with = "corp"\n\n[source.corp]\nregistry = "sparse+https://crates.example/index/"\n',
      go: "GOPROXY=https://go.example,direct\nGOSUMDB=off\n",
      maven: "<settings><mirrors><mirror><id>x</id><url>https://maven.example/repo</url></mirror></mirrors></settings>",
    });
    expect(urls).toEqual({
      npm: ["https://npm.example/"],
      pypi: ["https://pip.example/simple", "https://more.example/simple"],
      crates: ["https://crates.example/index/"],
      go: ["https://go.example/"],
      maven: ["https://maven.example/repo"],
    });
  });

  test("the environment wins over files, and a user's file over the system's", () => {
    expect(
      read({ env: { npm_config_registry: "https://env.example/" }, npmrc: ["registry=https://file.example/"] }).urls
        .npm,
    ).toEqual(["https://env.example/"]);
    expect(read({ npmrc: ["registry=https://user.example/", "registry=https://system.example/"] }).urls.npm).toEqual([
      "https://user.example/",
    ]);
    expect(
      read({ env: { PIP_INDEX_URL: "https://env.example/simple" }, pip: ["[global]\nindex-url=https://x.example/"] })
        .urls.pypi,
    ).toEqual(["https://env.example/simple"]);
    expect(read({ env: { GOPROXY: "https://env.example" }, go: "GOPROXY=https://x.example" }).urls.go).toEqual([
      "https://env.example/",
      "https://sum.golang.org/",
    ]);
  });

  test("a scope alone leaves the default registry where it is", () => {
    expect(read({ npmrc: ["@team:registry=https://team.example/"] })).toMatchObject({
      urls: { npm: ["https://registry.npmjs.org/", "https://team.example/"] },
      npmScopes: { "@team": "https://team.example/" },
    });
  });

  test("the certificates of every tool are found once, and only absolute paths", () => {
    expect(
      read({
        env: { NODE_EXTRA_CA_CERTS: "/ca.pem", PIP_CERT: "/ca.pem", SSL_CERT_FILE: "rel.pem" },
        npmrc: ["cafile=/npm.pem"],
      }).certificates,
    ).toEqual(["/npm.pem", "/ca.pem"]);
  });

  test("the machine's own proxy and its exceptions", () => {
    expect(
      read({ env: { HTTPS_PROXY: "http://proxy.example:3128", no_proxy: "localhost,.corp.example" } }).upstream,
    ).toEqual({
      https: "http://proxy.example:3128",
      http: null,
      except: ["localhost", ".corp.example"],
    });
  });

  test("is not confused by what is no URL", () => {
    const { urls } = read({
      npmrc: ["registry=file:///etc\n"],
      pip: ["[global]\nindex-url=ftp://x/"],
      cargo: "][",
      go: "GOPROXY=off",
      maven: "<mirror>",
    });
    expect(Object.values(urls)).toEqual([[], [], [], [], []]);
  });
});

describe("what a step is given", () => {
  const sources = {
    env: {
      npm_config_registry: "https://bob:hunter2@npm.example/?token=hunter2",
      PIP_INDEX_URL: "https://__token__:hunter2@pip.example/simple",
      GOPROXY: "https://hunter2@go.example",
      NPM_TOKEN: "hunter2",
      HTTPS_PROXY: "http://bob:hunter2@proxy.example:3128",
    },
    npmrc: [
      "//npm.example/:_authToken=hunter2\n_auth=hunter2\n@team:registry=https://x:hunter2@team.example/\nemail=hunter2\n",
    ],
    pip: ["[global]\npassword = hunter2"],
    cargo:
      '[source.crates-io]\nreplace-with="corp"\n[source.corp]\nregistry="sparse+https://x:hunter2@crates.example/"\n[registry]\ntoken="hunter2"',
    go: "",
    maven:
      "<settings><servers><server><password>hunter2</password></server></servers><mirrors><mirror><url>https://u:hunter2@maven.example/</url></mirror></mirrors></settings>",
  };

  test("C47: no credential of the machine's configuration is in it", () => {
    const settings = parseEcosystemSettings(sources);
    const setup = networkSetup(ALL, networkTargets(ALL, settings), settings, "/home", TRUSTED);
    const text = JSON.stringify(setup);
    expect(text).not.toContain("hunter2");
    for (const host of [
      "npm.example",
      "pip.example",
      "go.example",
      "team.example",
      "crates.example",
      "maven.example",
    ]) {
      expect(text).toContain(host);
    }
  });

  test("tools are sent to the forwarder, and to nothing directly but themselves", () => {
    const settings = parseEcosystemSettings(NOTHING);
    const { env } = networkSetup(["npm"], networkTargets(["npm"], settings), settings, "/home", PLAIN);
    expect(env).toMatchObject({
      HTTPS_PROXY: "http://127.0.0.1:3128",
      https_proxy: "http://127.0.0.1:3128",
      NO_PROXY: "127.0.0.1,localhost,::1",
    });
    expect(env).not.toHaveProperty("NODE_EXTRA_CA_CERTS");
  });

  test("go is not let go to any host", () => {
    const settings = parseEcosystemSettings(NOTHING);
    expect(networkSetup(["go"], [], settings, "/home", PLAIN).env).toMatchObject({
      GOPROXY: "https://proxy.golang.org",
      GOTOOLCHAIN: "local",
    });
  });

  test("maven and gradle learn of the proxy by files, values escaped", () => {
    const settings = parseEcosystemSettings({
      ...NOTHING,
      maven: "<mirror><url>https://maven.example/a&amp;b</url></mirror>",
    });
    const { files } = networkSetup(["maven"], [], settings, "/home", PLAIN);
    expect(files.map(({ path }) => path)).toEqual(["/home/.m2/settings.xml", "/home/.gradle/gradle.properties"]);
    expect(files[0]?.content).toContain("<host>127.0.0.1</host><port>3128</port>");
    expect(files[0]?.content).toContain("<url>https://maven.example/a&amp;b</url>");
  });

  test("mirrors of Maven keep what they are a mirror of", () => {
    const maven =
      "<mirrors><mirror><id>a</id><mirrorOf>central</mirrorOf><url>https://a.example/</url></mirror><!-- <mirror><url>https://no.example/</url></mirror> --><mirror><url>https://b.example/</url></mirror></mirrors>";
    const settings = parseEcosystemSettings({ ...NOTHING, maven });
    expect(settings.mavenMirrors).toEqual([
      { url: "https://a.example/", mirrorOf: "central" },
      { url: "https://b.example/", mirrorOf: "*" },
    ]);
    const [file] = networkSetup(["maven"], [], settings, "/home", PLAIN).files;
    expect(file?.content).toContain("<mirrorOf>central</mirrorOf><url>https://a.example/</url>");
  });

  test("Java is told of the proxy, and of the certificates where there are any", () => {
    const settings = parseEcosystemSettings(NOTHING);
    const options = (hasCertificates: boolean): string =>
      networkSetup(["maven"], [], settings, "/home", hasCertificates ? TRUSTED : PLAIN).env["MAVEN_OPTS"] ?? "";
    expect(options(false)).toContain("-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=3128");
    expect(options(false)).not.toContain("trustStore");
    expect(options(true)).toContain("-Djavax.net.ssl.trustStore=/run/ipm/truststore.jks");
  });

  test("of a file with certificates only the certificates are shown", () => {
    const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    const key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
    expect(certificatesOf(`comment\n${certificate}\n${key}\n${certificate}`)).toBe(`${certificate}\n${certificate}\n`);
  });
});
