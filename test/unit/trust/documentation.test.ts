import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parsePolicy, POLICY_KEYS, RISKS } from "../../../src/trust/policy-file.ts";
import { VERIFY_CHECKS } from "../../../src/usecases/verify-method.ts";

function page(name: string): string {
  return readFileSync(path.resolve(import.meta.dirname, "../../../docs", name), "utf8");
}

/** The first column of the table below a heading. */
function firstColumn(text: string, heading: string): string[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| `([a-z-]+)` \|/gmu)].map((match) => match[1] ?? "");
}

test("docs/policy.md lists every key and every risk", () => {
  const text = page("policy.md");
  expect(firstColumn(text, "Keys")).toEqual(POLICY_KEYS.filter((key) => key !== "schema"));
  expect(firstColumn(text, "Risks")).toEqual(RISKS);
});

test("the example of docs/policy.md is a policy", () => {
  const example = /```yaml\n([\s\S]*?)```/u.exec(page("policy.md"))?.[1] ?? "";
  const policy = parsePolicy(example, "docs/policy.md");
  expect(policy.trust).toBe("verified-elsewhere");
  expect(Object.values(policy).filter((value) => value === null)).toEqual([null]); // allow-unverified
});

test("docs/verification.md lists every check", () => {
  expect(firstColumn(page("verification.md"), "ipm verify")).toEqual(VERIFY_CHECKS);
});
