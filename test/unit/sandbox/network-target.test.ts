import { describe, expect, test } from "vitest";
import { type EcosystemSources, parseEcosystemSettings } from "../../../src/sandbox/ecosystem-settings.ts";
import { parseAuthority } from "../../../src/sandbox/network-proxy.ts";
import { isPrivateAddress, networkTargets } from "../../../src/sandbox/network-target.ts";

const NOTHING: EcosystemSources = { env: {}, npmrc: [], pip: [], cargo: "", go: "", maven: "" };
const shown = (declared: readonly string[], sources = NOTHING): string[] =>
  networkTargets(declared, parseEcosystemSettings(sources)).map(
    ({ scheme, host, port, mayBePrivate }) => `${scheme}://${host}:${port}${mayBePrivate ? "" : " public"}`,
  );

describe("networkTargets", () => {
  test("a host of the manifest is https at 443 and must be a public address", () => {
    expect(shown(["example.org"])).toEqual(["https://example.org:443 public"]);
  });

  test("an ecosystem without configuration is its public hosts", () => {
    expect(shown(["npm", "pypi"])).toEqual([
      "https://registry.npmjs.org:443",
      "https://registry.yarnpkg.com:443",
      "https://pypi.org:443",
      "https://files.pythonhosted.org:443",
    ]);
  });

  test("a configured ecosystem is exactly the configured scheme, host and port", () => {
    const sources = {
      ...NOTHING,
      npmrc: ["registry=http://npm.corp.example:4873/repo/\n@team:registry=https://other.example/"],
    };
    expect(shown(["npm"], sources)).toEqual(["http://npm.corp.example:4873", "https://other.example:443"]);
  });

  test("an ecosystem that is not declared gives nothing", () => {
    expect(shown([], { ...NOTHING, npmrc: ["registry=https://npm.corp.example/"] })).toEqual([]);
  });
});

describe("C51: isPrivateAddress", () => {
  test.each([
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "not an address",
  ])("%s is private", (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each(["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])(
    "%s is public",
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
});

describe("parseAuthority", () => {
  test.each([
    ["example.org:443", { host: "example.org", port: 443 }],
    ["EXAMPLE.org:443", { host: "example.org", port: 443 }],
    ["[::1]:443", { host: "::1", port: 443 }],
  ])("takes %s", (text, expected) => {
    expect(parseAuthority(text)).toEqual(expected);
  });

  test.each([
    "example.org",
    "example.org:0",
    "example.org:65536",
    "example.org:443/x",
    "a@b:443",
    "a b:443",
    "http://a:443",
    "::1:443",
    "",
  ])("refuses %j", (text) => {
    expect(parseAuthority(text)).toBeUndefined();
  });
});
