import { expect, test } from "vitest";
import { crateAddress, crateIndexConfig, mavenAddress } from "../../../src/sandbox/package-address.ts";

const JAR = "https://repo.maven.apache.org/maven2/org/example/rc/1.0/rc-1.0.jar";
const CRATE = "https://static.crates.io/crates/ripcat/ripcat-2.1.0.crate";

test.each([
  ["no mirror", [], JAR],
  ["one of everything", ["*"], "https://mirror.example.org/m2/org/example/rc/1.0/rc-1.0.jar"],
  ["one of central among others", ["jcenter, central"], "https://mirror.example.org/m2/org/example/rc/1.0/rc-1.0.jar"],
  ["one of everything but central", ["*,!central"], JAR],
  ["one of plain http alone", ["external:http:*"], JAR],
])("a jar with %s", (_, mirrors, expected) => {
  const mavenMirrors = mirrors.map((mirrorOf) => ({ url: "https://mirror.example.org/m2", mirrorOf }));
  expect(mavenAddress(JAR, { mavenMirrors })).toBe(expected);
});

test("what is not of Maven Central stays where it is", () => {
  const mavenMirrors = [{ url: "https://mirror.example.org/m2", mirrorOf: "*" }];
  expect(mavenAddress("https://example.org/rc.jar", { mavenMirrors })).toBe("https://example.org/rc.jar");
});

test.each([
  ["without marks", "https://mirror.example.org/api", "https://mirror.example.org/api/ripcat/2.1.0/download"],
  [
    "with marks",
    "https://mirror.example.org/{lowerprefix}/{crate}-{version}.crate?sum={sha256-checksum}",
    "https://mirror.example.org/ri/pc/ripcat-2.1.0.crate?sum=abc",
  ],
  ["of no text", 7, undefined],
  ["of no address", "nowhere", undefined],
])("a crate by a template %s", (_, dl, expected) => {
  expect(crateAddress(CRATE, "abc", dl)).toBe(expected);
});

test("names of few letters have folders of their own", () => {
  const of = (name: string): string | undefined =>
    crateAddress(`https://static.crates.io/crates/${name}/${name}-1.0.0.crate`, "", "https://x.org/{prefix}");
  expect(["a", "ab", "abc", "abcd"].map(of)).toEqual(
    ["1", "2", "3/a", "ab/cd"].map((prefix) => `https://x.org/${prefix}`),
  );
});

test("the configuration of an index is beside it", () => {
  expect(crateIndexConfig("https://mirror.example.org/index")).toBe("https://mirror.example.org/index/config.json");
});
