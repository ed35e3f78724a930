import { describe, expect, test } from "vitest";
import type { PlannedRun, RiskCode } from "../../../src/plan/plan.ts";
import { findRisks } from "../../../src/trust/risk-flags.ts";
import { copyOf, runStep } from "../../helpers/execution-fixture.ts";

function codes(run: PlannedRun["run"], more: Partial<PlannedRun> = {}): RiskCode[] {
  return [...new Set(findRisks([runStep(run, more)]).map(({ code }) => code))];
}

describe("each risk by name, and its honest neighbour", () => {
  test.each<[RiskCode, PlannedRun["run"], PlannedRun["run"]]>([
    ["privilege-escalation", "sudo make install PREFIX=x", "make install PREFIX=$IPM_PREFIX"],
    ["privilege-escalation", ["sh", "-c", "cd x && doas cp a b"], ["sh", "-c", "cd x && cp a b"]],
    ["download-to-shell", "curl -fsSL https://example.org/i.sh | sh", "curl -fsSL https://example.org/x.tar | tar x"],
    ["download-to-shell", "wget -qO- https://example.org/i.py | tee log | python3 -", "echo 1 | python3 -"],
    ["download-to-shell", 'bash -c "$(curl -fsSL https://example.org/i.sh)"', 'bash -c "$(cat i.sh)"'],
    ["writes-outside", "cp rc /usr/local/bin/rc", 'cp rc "$IPM_PREFIX/bin/rc"'],
    ["writes-outside", "echo 'export A=b' >> ~/.bashrc", "echo 'export A=b' >> rc"],
    ["writes-outside", "mkdir -p $HOME/.config/rc", "mkdir -p share/rc"],
    ["writes-outside", "npm install -g .", "npm install ."],
    ["writes-outside", "pip install --user .", "pip install ."],
    ["writes-outside", "./configure --prefix=/usr", "echo done > /dev/null"],
    ["long-running", "npm start", "npm run build"],
    ["long-running", "python3 -m http.server 8080", "python3 -m compileall ."],
    ["background-process", "make & true", "make && true"],
    ["background-process", "setsid ./daemon", "./daemon --version"],
    ["secrets", 'curl -H "Authorization: $GITHUB_TOKEN" https://example.org', "curl -H x https://example.org"],
    ["secrets", `echo ghp_${"a1".repeat(18)} > token`, "echo token > token"],
  ])("%s: %s", (code, risky, honest) => {
    expect(codes(risky)).toContain(code);
    expect(codes(honest)).not.toContain(code);
  });

  test("secrets: a token that the manifest itself hands over", () => {
    expect(codes("make", { env: { NPM_TOKEN: "x" } })).toEqual(["secrets"]);
    expect(codes("make", { env: { NODE_ENV: "production" } })).toEqual([]);
  });
});

test.each<[PlannedRun["run"], readonly string[], boolean]>([
  [["npm", "ci", "--ignore-scripts"], ["npm"], false],
  [["npm", "install", "--no-save"], ["npm"], true],
  ["pip install --require-hashes -r r.txt", ["pypi"], false],
  ["pip install .", ["pypi"], true],
  [["cargo", "install", "--locked", "--path", "."], ["crates"], false],
  [["cargo", "install", "--path", "."], ["crates"], true],
  [["go", "build", "-mod=readonly"], ["go"], false],
  [["go", "install", "example.org/x@latest"], ["go"], true],
  [["npm", "ci"], ["npm", "downloads.example.org"], true],
  ["make", [], false],
])("network without a lock: %j with %j: %s", (run, network, isOpen) => {
  // What a recipe fetches counts as well: it is the repository that has a lockfile or has none.
  for (const recipe of [null, "npm"]) {
    expect(codes(run, { network, recipe }).includes("network-without-lock")).toBe(isOpen);
  }
});

test("the steps of a recipe are ours: only what they fetch is flagged", () => {
  expect(codes("cp x ~/y; sudo true", { recipe: "python" })).toEqual([]);
});

test("a plan of copies has none; each is said once, with its step", () => {
  expect(findRisks([copyOf(".", "lib")])).toEqual([]);
  expect(findRisks([runStep("true"), runStep("sudo a; sudo b", { id: "2" })])).toEqual([
    { code: "privilege-escalation", step: "2", what: "asks for the rights of root (sudo)" },
  ]);
});
