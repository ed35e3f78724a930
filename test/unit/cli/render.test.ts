import { describe, expect, test } from "vitest";
import { renderChange, renderUninstall } from "../../../src/cli/render/changes.ts";
import { displayWidth } from "../../../src/cli/render/display-width.ts";
import { renderError } from "../../../src/cli/render/error.ts";
import { renderHistory } from "../../../src/cli/render/history.ts";
import { renderPlan } from "../../../src/cli/render/plan.ts";
import type { PlannedDownload } from "../../../src/plan/plan.ts";
import { renderShow } from "../../../src/cli/render/show.ts";
import { renderToolList } from "../../../src/cli/render/tool-list.ts";
import { createTheme } from "../../../src/cli/render/theme.ts";
import { IpmError } from "../../../src/core/errors.ts";
import type { ShowResult } from "../../../src/usecases/show.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

const plain = createTheme({ color: false, unicode: true, width: 80 });
const hostile = "\u001b[31m\u202eevil\u0007\nforged: line";
// oxlint-disable-next-line no-control-regex -- exactly what must not reach a terminal
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u;

describe("a plan", () => {
  test("says what would run, what it may touch and who vouches for it", () => {
    expect(renderPlan(samplePlan(), plain).join("\n")).toMatchInlineSnapshot(`
      "ripcat 2.1.0
        Search text in archives

        source    https://example.org/ripcat.git, folder cli
        commit    1111111111111111111111111111111111111111 refs/tags/v2.1.0
        method    cargo
                  cuda passed over: no nvidia hardware
        platform  linux-x64-glibc
        trust     ✔ reviewed (embedded registry)
        disk      131 kB of source, and what the steps make of it
        plan      dddddddddddd

      Notices
        ! there is no lock: what npm installs is not pinned

      Needs
        ✔ cargo   >=1.75  1.80.0  /usr/bin/cargo
          to build
        – ffmpeg  any     missing, optional
          to run: video files

      Steps
        1  cargo build --locked
           reaches crates; writes the tool's own folder, its checkout and a private
           home
        2  copy the binary
           only one file is needed
           without docs
           done by ipm itself; runs nothing; writes the tool's own folder

      Tests, before anything goes on PATH
        1  rc --version
           exit 0, stdout matches ^rc 2\\.1\\.0

      Puts on PATH
        rc
          comes before /usr/bin/rc on PATH"
    `);
  });

  test("submodules that are fetched are named", () => {
    const plan = samplePlan();
    if (!("commit" in plan.what.source)) throw new Error("the sample is a checkout");
    const source = { ...plan.what.source, submodules: ["vendor/\u001b[31mzlib"] };
    const text = renderPlan({ ...plan, what: { ...plan.what, source } }, plain).join("\n");
    expect(text).toContain("  with      submodules vendor/\\x1b[31mzlib, as the commit's tree pins them\n");
  });

  test("a workspace's steps write its folder", () => {
    const workspace = { folder: "/home/me/course", remote: null };
    const text = renderPlan(
      { ...samplePlan(), workspace },
      createTheme({ color: false, unicode: true, width: 200 }),
    ).join("\n");
    expect(text).toContain("reaches crates; writes the workspace's folder and a private home");
    expect(text).not.toContain("the tool's own");
  });

  test("says what is missing, what hides what, and that nobody vouches for it", () => {
    const base = samplePlan();
    const text = renderPlan(
      {
        ...base,
        requirements: [
          { tool: "java", version: ">=21", for: "both", optional: false, why: null, found: null, met: false },
        ],
        launchers: [{ name: "rc", shadows: null, shadowedBy: "/opt/bin/rc" }],
        trust: { level: "unverified", detail: "unverified" },
        dirty: true,
        tool: { ...base.tool, deprecated: { why: "needs Python 3.6", use: "ripcat2" }, prerelease: true },
      },
      plain,
    ).join("\n");
    expect(text).toContain("✖ java  >=21  missing");
    expect(text).toContain("hidden by /opt/bin/rc, which comes first on PATH");
    expect(text).toContain("trust     ! unverified");
    expect(text).toMatch(/with changes that are\s+not committed/u);
    expect(text).toContain("! deprecated: needs Python 3.6; use ripcat2");
    expect(text).toContain("ripcat 2.1.0 prerelease");
  });

  test("names what ipm fetches before the steps, and counts what is too much to name", () => {
    const base = samplePlan();
    const jar = (name: string): PlannedDownload => ({
      file: `${name}.jar`,
      url: `https://repo.maven.apache.org/maven2/${name}.jar`,
      sha256: "a".repeat(64),
      bytes: null,
      ecosystem: "maven",
    });
    const fetches = (downloads: readonly PlannedDownload[]): string => {
      const text = renderPlan({ ...base, what: { ...base.what, downloads } }, plain).join("\n");
      return /Fetches, each compared with its sha256\n([\s\S]*?)\n\n/u.exec(text)?.[1] ?? "";
    };
    const release = { file: "rc.zip", url: "https://example.org/a/rc.zip", sha256: "b".repeat(64), bytes: 2_000_000 };
    expect(fetches([release])).toBe("  rc.zip, about 2.0 MB from example.org");
    expect(fetches(["a", "b", "c", "d", "e"].map(jar)).split("\n")).toEqual([
      ...["a", "b", "c"].map((name) => `  ${name}.jar from the registry of maven that this machine uses`),
      "  and 2 more",
    ]);
    expect(fetches([])).toBe("");
  });

  test.each([40, 60, 80, 120])("fits into %i columns, but for words that cannot be broken", (width) => {
    for (const line of renderPlan(samplePlan(), createTheme({ color: false, unicode: true, width }))) {
      const longestWord = Math.max(...line.trim().split(" ").map(displayWidth));
      expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, longestWord + 14));
    }
  });

  test("hostile text of a manifest is shown, and does nothing", () => {
    const base = samplePlan();
    const [run, copy] = base.what.steps;
    const text = renderPlan(
      {
        ...base,
        tool: { ...base.tool, summary: hostile, ref: hostile, deprecated: { why: hostile, use: hostile } },
        method: { id: hostile, passedOver: [{ id: hostile, why: hostile }] },
        origin: { ...base.origin, source: hostile },
        trust: { level: "reviewed", detail: hostile },
        notices: [hostile],
        launchers: [{ name: hostile, shadows: hostile, shadowedBy: hostile }],
        requirements: base.requirements.map((one) => ({ ...one, tool: hostile, version: hostile, why: hostile })),
        what: {
          ...base.what,
          source: { ...base.what.source, path: hostile },
          steps: [run, copy].flatMap((step) =>
            step === undefined
              ? []
              : [
                  {
                    ...step,
                    title: hostile,
                    why: hostile,
                    ...(step.kind === "run"
                      ? { run: [hostile, hostile], network: [hostile], dir: hostile }
                      : { exclude: [hostile] }),
                  },
                ],
          ),
          tests: base.what.tests.map((one) => ({ ...one, run: hostile, expect: { ...one.expect, stdout: hostile } })),
        },
      },
      plain,
    ).join("\n");
    expect(text).not.toMatch(UNSAFE);
    expect(text).not.toMatch(/^forged: line/mu);
  });
});

describe("an error", () => {
  test("says what happened, shows the last lines, and ends with the next command", () => {
    const error = new IpmError("STEP_FAILED", "step 2 of ripcat (npm ci) failed with exit code 1", {
      hint: "ipm logs ripcat",
      data: { lastLines: ["npm error code E404", "npm error 404 Not Found"], log: "/data/logs/ripcat/1.log" },
    });
    expect(renderError(error, plain)).toEqual([
      "error[STEP_FAILED]: step 2 of ripcat (npm ci) failed with exit code 1",
      "",
      "  its last lines",
      "  | npm error code E404",
      "  | npm error 404 Not Found",
      "",
      "  log   /data/logs/ripcat/1.log",
      "  next  ipm logs ripcat",
    ]);
  });

  test("sets expected and actual below each other", () => {
    const error = new IpmError("SOURCE_MISMATCH", "another commit", {
      data: { expected: "1".repeat(40), actual: "2".repeat(40) },
    });
    expect(renderError(error, plain)).toEqual([
      "error[SOURCE_MISMATCH]: another commit",
      "",
      `  expected  ${"1".repeat(40)}`,
      `  actual    ${"2".repeat(40)}`,
    ]);
  });

  test("keeps the lines of a manifest's problems", () => {
    const error = new IpmError(
      "MANIFEST_INVALID",
      "ipm.yaml:3:1: UNKNOWN_KEY: no key `step`\nipm.yaml:9:4: TYPE: not a text",
    );
    expect(renderError(error, plain)).toEqual([
      "error[MANIFEST_INVALID]: ipm.yaml:3:1: UNKNOWN_KEY: no key `step`",
      "ipm.yaml:9:4: TYPE: not a text",
    ]);
  });

  test("hostile text of tools and servers is shown, and does nothing", () => {
    const data = {
      lastLines: [hostile],
      log: hostile,
      expected: hostile,
      actual: hostile,
      stack: hostile,
      command: hostile,
    };
    for (const code of ["STEP_FAILED", "BUG"] as const) {
      expect(renderError(new IpmError(code, hostile, { hint: hostile, data }), plain).join("\n")).not.toMatch(UNSAFE);
    }
  });
});

describe("a list", () => {
  const tool = {
    name: "ripcat",
    version: "2.1.0",
    method: "cargo",
    trust: "reviewed",
    bins: ["rc", "rcd"],
    held: true,
    entry: "ripcat/2.1.0-1",
    registry: "main",
    installed: "2026-11-20T00:00:00Z",
  };

  test("is aligned, and loses nothing in a pipe", () => {
    const bins = Array.from({ length: 30 }, (_, index) => `command-${index}`);
    const lines = renderToolList([tool, { ...tool, name: "cowsay", held: false, bins }], plain, false);
    expect(lines[0]).toBe("name    version       method  trust     commands");
    expect(lines[1]).toBe("ripcat  2.1.0 (held)  cargo   reviewed  rc rcd");
    expect(lines[2]).toContain("command-29");
  });

  test("is cut to the width at a terminal", () => {
    const lines = renderToolList([{ ...tool, bins: ["x".repeat(200)] }], plain, true);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(lines[1]).toMatch(/…$/u);
  });

  test("that is empty says what to do", () => {
    expect(renderToolList([], plain, true).join("\n")).toContain("ipm install NAME");
  });
});

test("show ends with the target as it was typed: the bare name may be in two registries", () => {
  const tool: ShowResult = {
    name: "ripcat",
    registry: "team",
    kind: "tool",
    summary: "Search text in archives",
    license: "MIT",
    homepage: null,
    source: null,
    keywords: [],
    aliases: [],
    formerly: [],
    deprecated: null,
    versions: [],
    methods: [{ id: "copy", platforms: [], requires: [], steps: ["uses copy"] }],
    bins: ["rc"],
    notes: null,
    start: null,
    elsewhere: {},
    trust: "unverified",
    installed: null,
  };
  expect(renderShow(tool, "team:ripcat", plain).at(-1)).toContain("ipm install team:ripcat");
});

test("a tool that was built again is a change without another version", () => {
  expect(renderChange({ name: "ripcat", from: "1.0", to: "1.0" }, plain)).toBe("  ripcat 1.0 built again");
});

test("a long command of the history stays in its column", () => {
  const item = { created: "2026-11-20T14:56:00.000Z", changes: [], tools: 1 };
  const long = `ipm install ${"some-tool ".repeat(9).trim()}`;
  const lines = renderHistory(
    [
      { ...item, number: 10, command: "ipm rollback", current: true },
      { ...item, number: 9, command: long, current: false },
    ],
    plain,
  );
  expect(lines[0]).toMatch(/^\* 10 {2}\S+ \S+ {2}ipm rollback {2}1 tool$/u);
  const [first = "", ...rest] = lines.slice(1);
  const column = first.indexOf("ipm install");
  expect(rest.length).toBeGreaterThan(0);
  for (const line of rest) expect(line.search(/\S/u)).toBe(column);
  for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80);
});

test("a purge never says that all is gone while something is in use, and is never silent", () => {
  const result = { generation: 2, removed: [], workspaces: [], purgedBytes: 1000, kept: [] };
  expect(renderUninstall(result, true, plain)).toEqual(["✔ what was left of it is gone; 1.0 kB given back"]);
  const running = { ...result, removed: [{ name: "alpha", version: "1.0.0" }], kept: ["/data/store/alpha/1.0.0-0"] };
  const lines = renderUninstall(running, true, plain).join("\n");
  expect(lines).toContain("/data/store/alpha/1.0.0-0 stays, because it is in use");
  expect(lines).not.toContain("are gone");
});
