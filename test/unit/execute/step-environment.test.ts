import { describe, expect, test } from "vitest";
import { type EnvironmentFacts, stepEnvironment, testEnvironment } from "../../../src/execute/step-environment.ts";

const FACTS: EnvironmentFacts = {
  paths: { prefix: "/e/prefix", source: "/e/source/cli", home: "/e/home", tmp: "/e/tmp" },
  version: "2.10",
  toolchains: ["/opt/node/bin", "/usr/bin"],
  inputs: {},
  jobs: 4,
};

describe("stepEnvironment", () => {
  test("is the documented list and nothing else", () => {
    expect(stepEnvironment({ env: {} }, FACTS)).toEqual({
      PATH: "/opt/node/bin:/usr/bin:/usr/local/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
      HOME: "/e/home",
      TMPDIR: "/e/tmp",
      LANG: "C.UTF-8",
      TZ: "UTC",
      CI: "1",
      SOURCE_DATE_EPOCH: "315532800",
      IPM_PREFIX: "/e/prefix",
      IPM_SOURCE: "/e/source/cli",
      IPM_VERSION: "2.10",
      IPM_JOBS: "4",
    });
  });

  test("C45: puts the prefix into a step's own variables literally, once, and nothing else", () => {
    const facts = { ...FACTS, paths: { ...FACTS.paths, prefix: "/e/$&{prefix}$(id)" } };
    const { A, B } = stepEnvironment({ env: { A: "{prefix}/x:{prefix}", B: "{version} ${HOME}" } }, facts);
    expect(A).toBe("/e/$&{prefix}$(id)/x:/e/$&{prefix}$(id)");
    expect(B).toBe("{version} ${HOME}");
  });

  test("a step may choose its locale, and cannot change what ipm tells it", () => {
    const env = stepEnvironment({ env: { LANG: "de_DE.UTF-8", PATH: "/evil", IPM_PREFIX: "/evil" } }, FACTS);
    expect(env).toMatchObject({ LANG: "de_DE.UTF-8", IPM_PREFIX: "/e/prefix" });
    expect(env["PATH"]).not.toContain("evil");
  });
});

test("a test sees the launchers and the system, no toolchain and nothing of ipm", () => {
  expect(testEnvironment(["/e/bin"], "/e/home", "/e/tmp")).toEqual({
    PATH: "/e/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
    HOME: "/e/home",
    TMPDIR: "/e/tmp",
    LANG: "C.UTF-8",
    TZ: "UTC",
    CI: "1",
  });
});
