import { expect, test } from "vitest";
import { displayWidth } from "../../../src/cli/render/display-width.ts";
import { createTheme } from "../../../src/cli/render/theme.ts";
import { renderVerifyReport } from "../../../src/cli/render/verify.ts";
import type { VerifyReport } from "../../../src/usecases/verify.ts";
import type { VerifiedMethod } from "../../../src/usecases/verify-method.ts";

const THEME = createTheme({ color: false, unicode: false, width: 80 });

const PASSED: VerifiedMethod = {
  name: "ripcat",
  version: "2.1.0",
  method: "cargo",
  platform: "linux-x64-glibc",
  outcome: "passed",
  why: null,
  digest: "d".repeat(64),
  checks: [
    { id: "plan", status: "passed", details: [], ms: 1200 },
    { id: "upgrade", status: "skipped", details: ["there is no version before"], ms: 0 },
  ],
  files: 3,
  bytes: 557_000,
  peakBytes: 3_100_000,
  ms: 23_000,
  network: { declared: ["crates"], reached: ["crates"] },
  reproducible: true,
  differences: [],
  log: null,
};

const FAILED: VerifiedMethod = {
  ...PASSED,
  version: "2.0.0",
  outcome: "failed",
  checks: [
    { id: "plan", status: "passed", details: [], ms: 1 },
    {
      id: "network",
      status: "failed",
      details: ["step 1 (make) asks for telemetry.example.org:443, which is not declared\u001b[2J", "and once more"],
      ms: 0,
    },
  ],
  reproducible: null,
  log: "/home/someone/.local/share/ipm/logs/ripcat/20261120T094500.000Z.log",
};

const SKIPPED: VerifiedMethod = { ...PASSED, method: "mac", outcome: "skipped", why: "is for macos", checks: [] };

function report(methods: readonly VerifiedMethod[], ok: boolean): VerifyReport {
  const distribution = { id: "debian", version: "12" };
  return { ok, platform: "linux-x64-glibc", distribution, isolation: "bubblewrap", methods, written: [], ms: 23_400 };
}

test("one method is told check by check", () => {
  expect(renderVerifyReport(report([PASSED], true), false, THEME)).toEqual([
    "+ ripcat 2.1.0 by cargo  plan dddddddddddd  23s",
    "  + plan       fetched and planned  1.2s",
    "  - upgrade    there is no version before",
    "    3 files, 557 kB kept, 3.1 MB at most - reached crates of crates",
    "    reproducible: yes",
    "",
    "1 verified on linux-x64-glibc by bubblewrap 23s",
  ]);
});

test("many methods are a table, then what failed in full, hostile text made visible, within 80 columns", () => {
  const none = { ...PASSED, name: "tool", network: { declared: [], reached: [] }, reproducible: false };
  const lines = renderVerifyReport(report([PASSED, FAILED, SKIPPED, none], false), false, THEME);
  expect(lines.filter((line) => displayWidth(line) > 80)).toEqual([]);
  expect(lines).toEqual([
    "   entry   version  method  seconds  size    network  reproducible",
    "+  ripcat  2.1.0    cargo   23       557 kB  crates   yes",
    "x  ripcat  2.0.0    cargo   23       557 kB  crates   not tried",
    "-  ripcat  2.1.0    mac",
    "+  tool    2.1.0    cargo   23       557 kB  none     no",
    "",
    "x ripcat 2.0.0 by cargo  plan dddddddddddd  23s",
    "  x network    step 1 (make) asks for telemetry.example.org:443, which is not",
    String.raw`               declared\x1b[2J`,
    "               and once more",
    "    3 files, 557 kB kept, 3.1 MB at most - reached crates of crates",
    "    log /home/someone/.local/share/ipm/logs/ripcat/20261120T094500.000Z.log",
    "",
    "- ripcat 2.1.0 by mac: not here, is for macos",
    "",
    "2 verified, 1 failed, 1 skipped on linux-x64-glibc by bubblewrap 23s",
  ]);
});

test("a requirement that is lacking is told in its own lines", () => {
  const lacking = { ...SKIPPED, why: "ripcat needs node >=22 (found 20.1.0)\n  node: runs the tool" };
  const lines = renderVerifyReport(report([PASSED, lacking], false), false, THEME);
  const at = lines.indexOf("- ripcat 2.1.0 by mac: not here, ripcat needs node >=22 (found 20.1.0)");
  expect(lines[at + 1]).toBe("    node: runs the tool");
});
