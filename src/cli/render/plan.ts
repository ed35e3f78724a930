import { platformId } from "../../core/host.ts";
import { escapeUntrusted } from "../../core/untrusted-text.ts";
import {
  type Plan,
  type PlannedCheckout,
  type PlannedPackage,
  type PlannedStep,
  type PlannedTest,
  type ResolvedRequirement,
  isPackage,
} from "../../plan/plan.ts";
import { showCommand } from "../../plan/remedies.ts";
import { nameRequirement, stateOfRequirement } from "../../plan/requirements.ts";
import { displayWidth, padToWidth } from "./display-width.ts";
import { renderField } from "./field.ts";
import { count, formatBytes, showRun, showRunLines } from "./format.ts";
import { type Theme, hang } from "./theme.ts";

/** Digits of the plan digest that are shown; `--json` has all of them. */
const SHORT_DIGEST = 12;
/** Downloads that are shown one by one: a Java tool has dozens. */
const MAX_DOWNLOADS = 4;
function section(title: string, lines: readonly string[], theme: Theme): string[] {
  return lines.length === 0 ? [] : ["", theme.strong(title), ...lines];
}

function trustText(plan: Plan, theme: Theme): string {
  const text = escapeUntrusted(plan.trust.detail || plan.trust.level);
  return plan.trust.level === "unverified"
    ? theme.caution(`${theme.symbols.caution} ${text}`)
    : `${theme.good(theme.symbols.done)} ${text}`;
}

function checkoutLines(
  { commit, path, submodules = [] }: PlannedCheckout,
  { origin, dirty, tool }: Plan,
  theme: Theme,
): string[] {
  const source = [
    escapeUntrusted(origin.source),
    ...(path === null ? [] : [`folder ${escapeUntrusted(path)}`]),
    ...(dirty ? ["with changes that are not committed"] : []),
  ];
  const ref = tool.ref === null ? "" : ` ${theme.faint(escapeUntrusted(tool.ref))}`;
  // They come from repositories of their own.
  const modules = `submodules ${submodules.map(escapeUntrusted).join(", ")}, as the commit's tree pins them`;
  return [
    ...renderField("source", source.join(", "), theme),
    ...renderField("commit", `${commit}${ref}`, theme),
    ...(submodules.length === 0 ? [] : renderField("with", modules, theme)),
  ];
}

function packageLines(source: PlannedPackage, { packages }: Plan, theme: Theme): string[] {
  const [ecosystem = "", ...name] = source.package.split(":");
  const pinned = packages === undefined ? "" : `, ${count(packages, "package")} pinned by a lock`;
  return [
    ...renderField(
      "source",
      escapeUntrusted(`${ecosystem} package ${name.join(":")} ${source.version}${pinned}`),
      theme,
    ),
    ...renderField("integrity", escapeUntrusted(source.integrity), theme),
  ];
}

function factLines(plan: Plan, theme: Theme): string[] {
  const { what, method } = plan;
  const lines = [
    ...(isPackage(what.source) ? packageLines(what.source, plan, theme) : checkoutLines(what.source, plan, theme)),
    ...(plan.workspace === undefined
      ? []
      : [
          ...renderField("folder", escapeUntrusted(plan.workspace.folder), theme),
          ...renderField("origin", escapeUntrusted(plan.workspace.remote ?? "none"), theme),
        ]),
    ...renderField("method", escapeUntrusted(method.id), theme),
  ];
  for (const other of method.passedOver) {
    lines.push(
      ...renderField("", theme.faint(`${escapeUntrusted(other.id)} passed over: ${escapeUntrusted(other.why)}`), theme),
    );
  }
  lines.push(
    ...renderField("platform", platformId(plan.platform), theme),
    ...renderField("trust", trustText(plan, theme), theme),
    ...(plan.sourceBytes === null || isPackage(what.source)
      ? []
      : renderField("disk", `${formatBytes(plan.sourceBytes)} of source, and what the steps make of it`, theme)),
    ...renderField("plan", plan.digest.slice(0, SHORT_DIGEST), theme),
  );
  return lines;
}

/** What ipm fetches by itself before the steps: a few of the files by name, the others by number. */
function downloadLines({ what }: Plan, theme: Theme): string[] {
  const downloads = what.downloads ?? [];
  const shown = downloads.slice(0, downloads.length > MAX_DOWNLOADS ? MAX_DOWNLOADS - 1 : MAX_DOWNLOADS);
  const lines = shown.flatMap(({ file, url, bytes, ecosystem }) => {
    const size = bytes === null ? "" : `, about ${formatBytes(bytes)}`;
    const place = ecosystem === undefined ? new URL(url).host : `the registry of ${ecosystem} that this machine uses`;
    return hang("  ", `${escapeUntrusted(file)}${size} from ${escapeUntrusted(place)}`, theme.width);
  });
  return downloads.length > shown.length ? [...lines, `  and ${downloads.length - shown.length} more`] : lines;
}

function requirementLines(requirements: readonly ResolvedRequirement[], theme: Theme): string[] {
  const names = requirements.map((one) => escapeUntrusted(nameRequirement(one)));
  const ranges = requirements.map((one) => escapeUntrusted(one.version ?? "any"));
  const nameCells = Math.max(...names.map(displayWidth));
  const rangeCells = Math.max(...ranges.map(displayWidth));
  return requirements.flatMap((one, index) => {
    const failed = one.optional ? theme.caution(theme.symbols.skipped) : theme.bad(theme.symbols.failed);
    const state = stateOfRequirement(one) ?? "missing";
    const missing = one.optional ? theme.caution(`${state}, optional`) : theme.bad(state);
    const found =
      one.found === null
        ? missing
        : [
            escapeUntrusted(one.found.version ?? stateOfRequirement(one) ?? "version unknown"),
            ...(one.met ? [] : [theme.bad("does not fit")]),
          ].join("  ");
    const place = one.found === null ? "" : theme.faint(escapeUntrusted(one.found.path));
    const range = theme.faint(padToWidth(ranges[index] ?? "", rangeCells));
    const head = `  ${one.met ? theme.good(theme.symbols.done) : failed} ${padToWidth(names[index] ?? "", nameCells)}  ${range}  ${found}`;
    const line = `${head}  ${place}`.trimEnd();
    const lines = displayWidth(line) <= theme.width ? [line] : [head, `    ${place}`];
    const notes = [
      ...(one.for === "both" ? [] : [`to ${one.for}`]),
      ...(one.why === null ? [] : [escapeUntrusted(one.why)]),
    ];
    if (notes.length > 0) lines.push(...hang("    ", notes.join(": "), theme.width, theme.faint));
    if (one.remedy !== undefined && one.remedy !== null)
      lines.push(...hang("    $ ", showCommand(one.remedy.command), theme.width, theme.command));
    if (one.advice !== undefined) lines.push(...hang("    ", escapeUntrusted(one.advice), theme.width, theme.command));
    return lines;
  });
}

const FROM: Readonly<Record<string, string>> = {
  flag: "by --set",
  kept: "as before",
  environment: "from your environment",
  terminal: "as typed",
};

/** What the user gives the tool: a secret without its value. */
function inputLines(plan: Plan, theme: Theme): string[] {
  return (plan.what.inputs ?? []).flatMap((input) => {
    const asked = plan.inputs?.find(({ env }) => env === input.env);
    const from = asked?.from ?? null;
    const value = input.secret ? "secret" : `= ${escapeUntrusted(input.value ?? "")}`;
    const origin = from === null ? "asked for when it is installed" : (FROM[from] ?? "");
    const uses = { build: "for the steps", run: "for the tool itself", both: "for the steps and the tool" };
    const why = asked?.why ?? null;
    const notes = [uses[input.for], ...(why === null ? [] : [escapeUntrusted(why)])].join(": ");
    return [
      ...hang("  ", `${escapeUntrusted(input.env)} ${value}  ${theme.faint(`(${origin})`)}`, theme.width),
      ...hang("    ", notes, theme.width, theme.faint),
    ];
  });
}

function reachText(step: PlannedStep, isWorkspace: boolean): string {
  const own = isWorkspace ? "the workspace's folder" : "the tool's own folder";
  if (step.kind === "copy") return `done by ipm itself; runs nothing; writes ${own}`;
  const reach = step.network.length === 0 ? "no network" : `reaches ${step.network.map(escapeUntrusted).join(", ")}`;
  return `${reach}; writes ${isWorkspace ? own : `${own}, its checkout`} and a private home`;
}

/** A command below its title: a script keeps its lines and their indentation, because joined it would be another. */
function scriptLines(run: PlannedTest["run"], indent: string, theme: Theme): string[] {
  return showRunLines(run).flatMap((line, index) => {
    const margin = " ".repeat(line.length - line.trimStart().length);
    return hang(`${indent}${index === 0 ? "$ " : "  "}${margin}`, line.trimStart(), theme.width, theme.command);
  });
}

function stepLines({ what: { steps }, workspace }: Plan, theme: Theme): string[] {
  return steps.flatMap((step, index) => {
    const number = `  ${String(index + 1).padStart(String(steps.length).length)}  `;
    const indent = " ".repeat(number.length);
    const title = escapeUntrusted(step.title);
    const script = step.kind === "run" ? showRunLines(step.run) : [];
    // A title that is the command, or its beginning, says nothing that the command does not.
    const command = script.length === 1 ? (script[0] ?? "") : "";
    const isCommand = command !== "" && command.startsWith(title.replace(/(?:…|\.\.\.)$/u, ""));
    const lines = isCommand ? hang(number, command, theme.width, theme.command) : hang(number, title, theme.width);
    if (step.kind === "run" && !isCommand) lines.push(...scriptLines(step.run, indent, theme));
    if (step.why !== null) lines.push(...hang(indent, escapeUntrusted(step.why), theme.width));
    if (step.kind === "run" && step.dir !== null)
      lines.push(...hang(indent, `in ${escapeUntrusted(step.dir)}`, theme.width, theme.faint));
    if (step.kind === "copy" && step.exclude.length > 0) {
      lines.push(...hang(indent, `without ${step.exclude.map(escapeUntrusted).join(", ")}`, theme.width, theme.faint));
    }
    return [...lines, ...hang(indent, reachText(step, workspace !== undefined), theme.width, theme.faint)];
  });
}

function expectationText(test: PlannedTest): string {
  const { expect } = test;
  const parts = [`exit ${expect.exit}`];
  for (const stream of ["stdout", "stderr", "output"] as const) {
    const pattern = expect[stream];
    if (pattern !== null) parts.push(`${stream} matches ${escapeUntrusted(pattern)}`);
  }
  return parts.join(", ");
}

function testLines({ tests, start }: Plan["what"], theme: Theme): string[] {
  return tests.flatMap((test, index) => {
    const number = `  ${String(index + 1).padStart(String(tests.length).length)}  `;
    const indent = " ".repeat(number.length);
    return [
      ...hang(number, showRun(test.run), theme.width, theme.command),
      ...hang(indent, expectationText(test), theme.width, theme.faint),
      ...(test.during === undefined || start === undefined
        ? []
        : hang(
            indent,
            `while ${showRun(start.run)} answers at ${escapeUntrusted(start.url)}`,
            theme.width,
            theme.faint,
          )),
    ];
  });
}

function persistLines(plan: Plan, theme: Theme): string[] {
  return (plan.what.persist ?? []).flatMap((place) => hang("  ", escapeUntrusted(place), theme.width));
}

function launcherLines(plan: Plan, theme: Theme): string[] {
  return plan.launchers.flatMap((launcher) => {
    const name = `  ${theme.command(escapeUntrusted(launcher.name))}`;
    if (launcher.shadowedBy !== null) {
      return [
        name,
        ...hang(
          "    ",
          `hidden by ${escapeUntrusted(launcher.shadowedBy)}, which comes first on PATH`,
          theme.width,
          theme.caution,
        ),
      ];
    }
    return launcher.shadows === null
      ? [name]
      : [
          name,
          ...hang("    ", `comes before ${escapeUntrusted(launcher.shadows)} on PATH`, theme.width, theme.caution),
        ];
  });
}

function noticeLines(plan: Plan, theme: Theme): string[] {
  return plan.notices.flatMap((notice) =>
    hang(`  ${theme.symbols.caution} `, escapeUntrusted(notice), theme.width, theme.caution),
  );
}

/** What the steps do that deserves a look: plain words first, so that nobody has to read shell to see it. */
function riskLines(plan: Plan, theme: Theme): string[] {
  return plan.risks.flatMap(({ step, what }) =>
    hang(`  ${theme.symbols.caution} `, `step ${step} ${escapeUntrusted(what)}`, theme.width, theme.caution),
  );
}

function deprecatedLines({ tool }: Plan, theme: Theme): string[] {
  if (tool.deprecated === null) return [];
  const instead = tool.deprecated.use === null ? "" : `; use ${escapeUntrusted(tool.deprecated.use)}`;
  const text = `${theme.symbols.caution} deprecated: ${escapeUntrusted(tool.deprecated.why)}${instead}`;
  return hang("  ", text, theme.width, theme.caution);
}

/** The whole plan, for `plan`, `--dry-run` and every question: what would run, what it may touch, who vouches for it. */
export function renderPlan(plan: Plan, theme: Theme): string[] {
  const { tool, what } = plan;
  return [
    `${theme.strong(`${escapeUntrusted(tool.name)} ${escapeUntrusted(tool.version)}`)}${tool.prerelease ? theme.caution(" prerelease") : ""}`,
    ...hang("  ", escapeUntrusted(tool.summary), theme.width),
    ...deprecatedLines(plan, theme),
    "",
    ...factLines(plan, theme),
    ...section("Notices", noticeLines(plan, theme), theme),
    ...section("Look at", riskLines(plan, theme), theme),
    ...section("Needs", plan.requirements.length === 0 ? [] : requirementLines(plan.requirements, theme), theme),
    ...section("Inputs", inputLines(plan, theme), theme),
    ...section("Fetches, each compared with its sha256", downloadLines(plan, theme), theme),
    ...section("Steps", stepLines(plan, theme), theme),
    ...section(
      plan.workspace === undefined ? "Tests, before anything goes on PATH" : "Tests",
      testLines(what, theme),
      theme,
    ),
    ...section("Keeps as yours, over upgrades and uninstall", persistLines(plan, theme), theme),
    ...section("Puts on PATH", launcherLines(plan, theme), theme),
  ];
}

/** The plan in a few lines, for the story of an installation that needs no question. */
export function renderPlanBrief(plan: Plan, theme: Theme): string[] {
  const work = [
    `method ${escapeUntrusted(plan.method.id)}`,
    count(plan.what.steps.length, "step"),
    count(plan.what.tests.length, "test"),
    `plan ${plan.digest.slice(0, SHORT_DIGEST)}`,
  ].join(` ${theme.symbols.separator} `);
  const hidden = plan.launchers.flatMap((launcher) =>
    launcher.shadowedBy === null
      ? launcher.shadows === null
        ? []
        : [`${escapeUntrusted(launcher.name)} comes before ${escapeUntrusted(launcher.shadows)} on PATH`]
      : [
          `${escapeUntrusted(launcher.name)} is hidden by ${escapeUntrusted(launcher.shadowedBy)}, which comes first on PATH`,
        ],
  );
  const name = `${escapeUntrusted(plan.tool.name)} ${escapeUntrusted(plan.tool.version)}`;
  const { source } = plan.what;
  const pin = isPackage(source) ? source.package : source.commit.slice(0, SHORT_DIGEST);
  return [
    // A version without a tag is made of the commit already.
    `${theme.strong(name)}${name.includes(pin) ? "" : ` ${theme.faint(escapeUntrusted(pin))}`}`,
    ...deprecatedLines(plan, theme),
    ...hang("  ", trustText(plan, theme), theme.width),
    ...hang("  ", work, theme.width, theme.faint),
    ...(plan.workspace === undefined ? [] : hang("  ", `into ${escapeUntrusted(plan.workspace.folder)}`, theme.width)),
    ...noticeLines(plan, theme),
    ...riskLines(plan, theme),
    ...hidden.flatMap((line) => hang(`  ${theme.symbols.caution} `, line, theme.width, theme.caution)),
  ];
}
