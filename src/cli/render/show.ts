import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import type { ShowResult } from "../../usecases/show.ts";
import { renderField } from "./field.ts";
import { hang, type Theme } from "./theme.ts";

const MOST_VERSIONS = 8;

function joined(texts: readonly string[]): string {
  return texts.map(escapeUntrusted).join(", ");
}

/**
 * `ipm show NAME`: the entry, its versions and methods, what is installed, and what to type next.
 * @param typed the target as typed: the bare name may be in two registries
 */
export function renderShow(tool: ShowResult, typed: string, theme: Theme): readonly string[] {
  const { symbols } = theme;
  const installed = tool.installed === null ? "no" : `${tool.installed.version}${tool.installed.held ? ", held" : ""}`;
  const lines = [
    theme.strong(escapeUntrusted(tool.name)),
    ...hang("  ", escapeUntrusted(tool.summary), theme.width),
    ...(tool.deprecated === null
      ? []
      : hang(
          `  ${symbols.caution} `,
          `deprecated: ${escapeUntrusted(tool.deprecated.why)}${tool.deprecated.use === null ? "" : `; use ${escapeUntrusted(tool.deprecated.use)}`}`,
          theme.width,
          theme.caution,
        )),
    "",
    ...renderField("registry", escapeUntrusted(tool.registry), theme),
    ...renderField("trust", escapeUntrusted(tool.trust), theme),
    ...renderField("license", escapeUntrusted(tool.license), theme),
    ...renderField("source", escapeUntrusted(tool.source ?? ""), theme),
    ...renderField("homepage", escapeUntrusted(tool.homepage ?? ""), theme),
    ...renderField("kind", tool.kind === "tool" ? "" : escapeUntrusted(tool.kind), theme),
    ...renderField("keywords", joined(tool.keywords), theme),
    ...renderField("also", joined([...tool.aliases, ...tool.formerly]), theme),
    ...renderField("commands", joined(tool.bins), theme),
    ...renderField("start", escapeUntrusted(tool.start ?? ""), theme),
    ...renderField("installed", escapeUntrusted(installed), theme),
  ];
  if (tool.versions.length > 0) {
    lines.push("", theme.strong("Versions"));
    for (const version of tool.versions.slice(0, MOST_VERSIONS)) {
      const notes = [
        ...(version.added === null ? [] : [theme.faint(escapeUntrusted(version.added))]),
        ...(version.prerelease ? [theme.caution("prerelease")] : []),
        ...(version.withdrawn === null ? [] : [theme.bad(`withdrawn: ${escapeUntrusted(version.withdrawn)}`)]),
      ];
      lines.push(`  ${escapeUntrusted(version.version)}${notes.length === 0 ? "" : `  ${notes.join("  ")}`}`);
    }
    if (tool.versions.length > MOST_VERSIONS)
      lines.push(theme.faint(`  and ${tool.versions.length - MOST_VERSIONS} older ones (--json has all)`));
  }
  if (tool.methods.length > 0) {
    lines.push("", theme.strong("Methods, in order of preference"));
    for (const method of tool.methods) {
      const where = method.platforms.length === 0 ? "any platform" : joined(method.platforms);
      lines.push(`  ${escapeUntrusted(method.id)}  ${theme.faint(where)}`);
      if (method.requires.length > 0) lines.push(...hang("    needs  ", joined(method.requires), theme.width));
      if (method.steps.length > 0)
        lines.push(...hang("    steps  ", method.steps.map(escapeUntrusted).join(` ${symbols.arrow} `), theme.width));
    }
  }
  const elsewhere = Object.entries(tool.elsewhere);
  if (elsewhere.length > 0) {
    lines.push("", theme.strong("Elsewhere"));
    for (const [ecosystem, name] of elsewhere)
      lines.push(...renderField(escapeUntrusted(ecosystem), escapeUntrusted(name), theme));
  }
  if (tool.notes !== null) {
    lines.push("", theme.strong("Notes"));
    for (const line of escapeUntrustedLines(tool.notes.trimEnd()).split("\n"))
      lines.push(...hang("  ", line, theme.width));
  }
  const isGone = tool.versions.length > 0 && tool.versions.every(({ withdrawn }) => withdrawn !== null);
  if (tool.methods.length > 0 && tool.installed === null && !isGone) {
    lines.push("", `${theme.faint(symbols.arrow)} ${theme.command(`ipm install ${escapeUntrusted(typed)}`)}`);
  }
  return lines;
}
