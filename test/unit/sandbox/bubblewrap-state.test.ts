import { describe, expect, test } from "vitest";
import { type SandboxFacts, diagnose, missingReport, setuidReport } from "../../../src/sandbox/bubblewrap-state.ts";

const FACTS: SandboxFacts = {
  distribution: "debian",
  inContainer: false,
  appArmorRestricts: false,
  maxUserNamespaces: 1000,
};

describe("C67: why there is no sandbox", () => {
  test.each([
    ["too-old", "bwrap: Unknown option --disable-userns", {}],
    [
      "nested",
      "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)",
      {},
    ],
    ["nested", "bwrap: Creating new namespace failed: No space left on device", { maxUserNamespaces: 0 }],
    ["denied-apparmor", "bwrap: setting up uid map: Permission denied", {}],
    ["denied-apparmor", "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", { appArmorRestricts: true }],
    [
      "denied-container",
      "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces. See <https://deb.li/bubblewrap>",
      { inContainer: true },
    ],
    [
      "denied-container",
      "bwrap: No permissions to creating new namespace, likely because the kernel does not allow non-privileged user namespaces.",
      {},
    ],
    ["denied-container", "bwrap: Can't mount proc on /newroot/proc: Operation not permitted", { inContainer: true }],
    ["denied-container", "", {}],
  ] as const)("%s: %s", (state, stderr, facts) => {
    const report = diagnose(stderr, { ...FACTS, ...facts });
    expect(report.state).toBe(state);
    // One sentence and at most one command, both on one line.
    expect(report.cause).toMatch(/^[^\n]{10,}$/u);
    expect(report.fix ?? "x").toMatch(/^[^\n]+$/u);
  });

  test("says how to install bubblewrap on this distribution, and nothing where it does not know", () => {
    expect(missingReport(FACTS)).toMatchObject({ state: "missing", fix: "sudo apt-get install -y bubblewrap" });
    expect(missingReport({ ...FACTS, distribution: "plan9" })).toMatchObject({ state: "missing", fix: null });
  });

  test("names the setuid program", () => {
    expect(setuidReport("/usr/bin/bwrap")).toMatchObject({ state: "setuid", fix: "sudo chmod u-s /usr/bin/bwrap" });
  });

  test("tells a limit of 0 apart from a sandbox around ipm", () => {
    const stderr = "nesting depth exceeded";
    expect(diagnose(stderr, { ...FACTS, maxUserNamespaces: 0 }).fix).toContain("max_user_namespaces");
    expect(diagnose(stderr, FACTS).fix).toBeNull();
  });

  test("shows what bubblewrap said without its control characters", () => {
    expect(diagnose("bwrap: \u001b[31mno", FACTS).cause).toContain("\\x1b[31mno");
  });
});
