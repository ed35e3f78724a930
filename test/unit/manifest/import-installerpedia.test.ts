import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IMPORT_DEFECTS, type ImportDefect } from "../../../src/manifest/import-defects.ts";
import { importInstallerpedia } from "../../../src/manifest/import-installerpedia.ts";
import { factsAlone, lintManifest } from "../../../src/manifest/lint/lint-manifest.ts";
import { readYamlDocument } from "../../../src/manifest/yaml-document.ts";
import { bytesOf } from "../../helpers/manifests.ts";

interface Fixture {
  readonly commands?: readonly string[];
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A record of our own with one defect; the index document's shape unless `more` says otherwise. */
const FIXTURES: Readonly<Record<ImportDefect, Fixture>> = {
  NOT_A_COMMAND: { commands: ["https://example.org/ripcat.zip"] },
  ECHO_OF_PROSE: { commands: ['echo "Open the settings and choose a folder"'] },
  PLACEHOLDER_LEFT: { commands: ["ripcat --root /path/to/archives"] },
  NO_CHECKOUT: { commands: ["pip install -r requirements.txt"] },
  ALTERNATIVES_IN_ONE: { commands: ["npm install ripcat", "yarn add ripcat"] },
  CLONE_WITHOUT_CD: { commands: ["git clone https://github.com/owner/ripcat", "yarn"] },
  SYSTEMS_IN_ONE: { commands: ["winget install ripcat", "xcode-select --install"] },
  BLOCKING_COMMAND: { commands: ["ripcat-setup", "uvicorn app:main"] },
  LOST_SHELL_STATE: { commands: ["conda activate ripcat"] },
  OVERWRITES_FILE: { commands: ["printf A=1 > .env", "printf B=2 > .env"] },
  NEEDS_ROOT: { commands: ["sudo ripcat-setup"] },
  UNPINNED_DOWNLOAD: { commands: ["curl -LO https://example.org/ripcat"] },
  EMPTY_REQUIREMENT: { more: { prerequisites: [{ type: "knowledge", name: "", version: "" }] } },
  REQUIREMENT_NO_PROGRAM: { more: { prerequisites: [{ type: "network", name: "CAT5e ethernet or better" }] } },
  RELATIVE_RESOURCE: { more: { resources_of_interest: [{ title: "Docs", url_or_path: "./docs/install.md" }] } },
  PROSE_AFTERWARDS: { more: { post_installation: ["Then:\n1. open it\n2. close it"] } },
  MALFORMED: { more: { installation_methods: "none" } },
};

function record({ commands = [], more = {} }: Fixture): Record<string, unknown> {
  return {
    id: "installerpedia-1",
    name: "owner/ripcat",
    description: "Ripcat searches text in archives. It is fast.",
    repo_type: "cli",
    prerequisites: [],
    installation_methods: [
      { title: "Recommended", instructions: commands.map((command) => ({ command, meaning: "It does that." })) },
    ],
    post_installation: [],
    resources_of_interest: [],
    ...more,
  };
}

function defectsOf(fixture: Fixture): ImportDefect[] {
  return importInstallerpedia(record(fixture)).findings.map(({ defect }) => defect);
}

/** It can be read, and the schema refuses it: nobody has pinned anything. */
function expectDraftOnly(text: string): void {
  expect(readYamlDocument(bytesOf(text), "draft.yaml")).toMatchObject({ ok: true, findings: [] });
  const { findings } = lintManifest(bytesOf(text), "draft.yaml", { facts: factsAlone("registry") });
  expect(findings.some(({ code, message }) => code === "MISSING_KEY" && message.includes("versions"))).toBe(true);
  expect(text).toMatch(/^# TODO: imported from Installerpedia/u);
}

describe("every defect", () => {
  test.each(Object.entries(FIXTURES))("%s is found in a record that has it, and nothing else is", (defect, fixture) => {
    expect(new Set(defectsOf(fixture))).toEqual(new Set([defect]));
    expectDraftOnly(importInstallerpedia(record(fixture)).text);
  });

  test("a good record has none", () => {
    const good = ["git clone https://github.com/owner/ripcat", "cd ripcat", "npm install", "npm run build"];
    expect(defectsOf({ commands: good })).toEqual([]);
    expect(Object.keys(FIXTURES)).toEqual(Object.keys(IMPORT_DEFECTS));
  });
});

test.each([
  ["NOT_A_COMMAND", "<dependency>\n  <groupId>org.example</groupId>\n</dependency>"],
  ["NOT_A_COMMAND", 'implementation("org.example:ripcat:1.0")'],
  ["NOT_A_COMMAND", "# For Linux:"],
  ["NOT_A_COMMAND", "Hit run"],
  ["NOT_A_COMMAND", "pod 'Ripcat', '~> 1.0'"],
  ["PLACEHOLDER_LEFT", "ripcat download vX.Y.Z"],
  ["PLACEHOLDER_LEFT", "ripcat login sk-your-key"],
  ["LOST_SHELL_STATE", "poetry shell"],
  ["BLOCKING_COMMAND", "docker run -it owner/ripcat"],
])("%s: %j", (defect, command) => {
  expect(defectsOf({ commands: [command] })).toContain(defect);
});

test.each([["pod install"], ["docker build -t ripcat ."], ["FOO=1 ripcat"], ["export A=b"], ["./Configure --all"]])(
  "%s is a command, and does not block",
  (command) => {
    const defects = defectsOf({ commands: [command] });
    expect(defects).not.toContain("NOT_A_COMMAND");
    expect(defects).not.toContain("BLOCKING_COMMAND");
  },
);

describe("the draft", () => {
  test("keeps what is worth keeping: recipes for commands, meanings, requirements, other package managers", () => {
    const draft = importInstallerpedia({
      repo: "Owner/Rip_Cat",
      repo_type: "tool",
      description: "Searches text.",
      keywords: ["x"],
      prerequisites: [
        { type: "language_runtime", name: "Node.js", version: ">=18" },
        { type: "system_tool", name: "FFmpeg", optional: true },
        { type: "system_tool", name: "git" },
      ],
      installation_methods: [
        {
          title: "From source",
          instructions: [
            { command: "git clone https://github.com/owner/rip_cat && cd rip_cat" },
            { command: "npm ci" },
            { command: "./index.sh", meaning: "Builds the index." },
          ],
        },
        { title: "Homebrew", instructions: [{ command: "brew install ripcat" }] },
      ],
    });
    expect(draft.findings).toEqual([]);
    expect(draft.text).toContain(`name: rip_cat
summary: Searches text
# TODO: the record does not say
license: LicenseRef-unknown
source:
  git: https://github.com/Owner/Rip_Cat.git
requires:
  - tool: node
    version: ">=18"
  - tool: ffmpeg
    optional: true
methods:
  - id: from-source
    steps:
      - uses: npm
      - run: ./index.sh
        why: Builds the index.
elsewhere:
  brew: ripcat
`);
    expectDraftOnly(draft.text);
  });
});

describe("hostile records", () => {
  test("whatever the JSON is, there is a draft that is no manifest, of safe text", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const draft = importInstallerpedia({
          ...record({}),
          installation_methods: value,
          prerequisites: value,
          name: JSON.stringify(value),
        });
        expectDraftOnly(draft.text);
      }),
      { numRuns: 150 },
    );
    expect(importInstallerpedia(null).findings.map(({ defect }) => defect)).toContain("MALFORMED");
    for (const value of [
      null,
      1,
      "x",
      [],
      [null],
      { installation_methods: [null, 1, { instructions: [null, 7, { command: 3 }] }] },
    ])
      expectDraftOnly(importInstallerpedia(value).text);
  });

  test("control and bidi characters and line breaks do not reach the draft or the findings", () => {
    const evil = "\u001b[2Jx\u202e\nversions: []\r\n";
    const draft = importInstallerpedia(
      record({
        commands: [evil, `echo ${evil}`],
        more: { description: evil, prerequisites: [{ name: evil, type: evil }] },
      }),
    );
    expectDraftOnly(draft.text);
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    expect(draft.text + JSON.stringify(draft.findings)).not.toMatch(/\u001b|\\u001b|\u202e/u);
  });
});

// The licence of the real records is unknown, so they are read where they are and none is copied here.
const SAMPLES = path.resolve(import.meta.dirname, "../../../../shared/installerpedia");

test.skipIf(!existsSync(SAMPLES))("the real samples import, with the defects that were counted by hand", () => {
  const drafts = readdirSync(SAMPLES)
    .filter((file) => file.endsWith(".json"))
    .map((file) => importInstallerpedia(JSON.parse(readFileSync(path.join(SAMPLES, file), "utf8"))));
  for (const draft of drafts) expectDraftOnly(draft.text);
  const count = (defect: ImportDefect): number =>
    drafts.flatMap(({ findings }) => findings).filter((finding) => finding.defect === defect).length;
  expect(drafts.length).toBeGreaterThanOrEqual(15);
  expect(count("ECHO_OF_PROSE")).toBe(7);
  expect(count("CLONE_WITHOUT_CD")).toBe(1);
  expect(count("NOT_A_COMMAND")).toBeGreaterThanOrEqual(11);
  expect(count("NO_CHECKOUT")).toBeGreaterThanOrEqual(15);
  expect(count("ALTERNATIVES_IN_ONE")).toBeGreaterThanOrEqual(5);
  expect(count("REQUIREMENT_NO_PROGRAM")).toBeGreaterThanOrEqual(80);
  expect(count("RELATIVE_RESOURCE")).toBeGreaterThanOrEqual(17);
  expect(count("MALFORMED")).toBe(0);
});
