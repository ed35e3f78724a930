import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { Finding } from "../../manifest/finding.ts";
import type { PublicationChanges, PublishedRegistry } from "../../registry/publish-registry.ts";
import type { AddedRegistry, ListedRegistry } from "../../registry/configure-registries.ts";
import type { UpdateResult } from "../../registry/update-registries.ts";
import { count, formatBytes } from "./format.ts";
import { renderTable } from "./table.ts";
import { hang, type Theme } from "./theme.ts";

const SHORT_COMMIT = 12;
const MOST_FINDINGS = 5;

/** What is wrong with a registry's entries: the first few, and how many there are. */
function findingLines(findings: readonly Finding[], theme: Theme): string[] {
  const lines = findings
    .slice(0, MOST_FINDINGS)
    .flatMap(({ file, line, column, code, message }) =>
      hang(
        `  ${theme.symbols.caution} `,
        escapeUntrusted(`${file}:${line}:${column}: ${code}: ${message}`),
        theme.width,
        theme.caution,
      ),
    );
  const rest = findings.length - MOST_FINDINGS;
  return rest > 0 ? [...lines, theme.faint(`    and ${rest} more`)] : lines;
}

/** `ipm registry list`: a line each; what cannot be used says why below it. */
export function renderRegistries(registries: readonly ListedRegistry[], theme: Theme): readonly string[] {
  const table = renderTable(
    registries,
    [
      { title: "id", value: (registry) => escapeUntrusted(registry.id), paint: (text) => theme.strong(text) },
      { title: "kind", value: (registry) => registry.kind },
      { title: "entries", value: (registry) => (registry.entries === null ? "none" : String(registry.entries)) },
      { title: "commit", value: (registry) => registry.commit?.slice(0, SHORT_COMMIT) ?? "" },
      {
        title: "location",
        value: (registry) =>
          `${escapeUntrusted(registry.location)}${registry.used ? "" : " (another one of this id is used)"}`,
      },
    ],
    theme,
    false,
  );
  const problems = registries.flatMap(({ id, problem }) =>
    problem === null
      ? []
      : [
          ...hang(
            `${theme.symbols.caution} `,
            escapeUntrusted(`${id}: ${problem.message}`),
            theme.width,
            theme.caution,
          ),
          ...(problem.hint === undefined
            ? []
            : hang(`  ${theme.symbols.arrow} `, escapeUntrusted(problem.hint), theme.width, theme.command)),
        ],
  );
  return problems.length === 0 ? table : [...table, "", ...problems];
}

/** `ipm registry add`. */
export function renderAdded(registry: AddedRegistry, theme: Theme): readonly string[] {
  return [
    `${theme.good(theme.symbols.done)} registry ${theme.strong(escapeUntrusted(registry.id))} is in use, with ${count(registry.entries, "entry", "entries")}`,
    ...findingLines(registry.findings, theme),
    theme.faint(`  ${escapeUntrusted(registry.location)}, written to ${escapeUntrusted(registry.configFile)}`),
  ];
}

const SHOWN_NAMES = 8;

/** What differs, as `+ new`, `~ changed`, `- gone`; the first few of each. */
function changeLines({ added, changed, removed }: PublicationChanges, theme: Theme): string[] {
  return (
    [
      ["+", added],
      ["~", changed],
      ["-", removed],
    ] as const
  ).flatMap(([sign, names]) => {
    if (names.length === 0) return [];
    const rest = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : "";
    return hang(`  ${sign} `, `${escapeUntrusted(names.slice(0, SHOWN_NAMES).join(" "))}${rest}`, theme.width);
  });
}

/** `ipm registry build`. */
export function renderPublished(published: PublishedRegistry, theme: Theme): readonly string[] {
  const { id, out, entries, sequence, changed, changes, written, bytes, firstCopy, update, findings } = published;
  const name = theme.strong(escapeUntrusted(id));
  if (!changed) {
    return [
      `${theme.good(theme.symbols.done)} ${name} is up to date: publication ${sequence}, ${count(entries, "entry", "entries")}`,
      theme.faint(`  ${escapeUntrusted(out)}`),
    ];
  }
  return [
    `${theme.good(theme.symbols.done)} ${name}: publication ${sequence}, ${count(entries, "entry", "entries")}`,
    ...(changes === null ? [] : changeLines(changes, theme)),
    ...findingLines(findings, theme),
    theme.faint(`  ${escapeUntrusted(out)}: ${count(written, "file", "files")} written, ${formatBytes(bytes)}`),
    theme.faint(
      `  a first copy takes ${formatBytes(firstCopy)}${changes === null ? "" : `, an update from the last one ${formatBytes(update)}`}`,
    ),
    ...hang(
      `  ${theme.symbols.arrow} `,
      "upload the folder, ipm-registry.json last, then: ipm registry add https://YOUR-SERVER/PATH",
      theme.width,
      theme.command,
    ),
  ];
}

/** `ipm update`. */
export function renderUpdate(result: UpdateResult, theme: Theme): readonly string[] {
  if (!result.configured) {
    return [
      "no registry is configured; the embedded one comes with ipm itself",
      theme.faint(`${theme.symbols.arrow} ipm registry add URL`),
    ];
  }
  return result.registries.flatMap((registry) => {
    const from =
      registry.previous === null ? "" : `${registry.previous.slice(0, SHORT_COMMIT)} ${theme.symbols.arrow} `;
    const commit =
      registry.sequence !== null
        ? theme.faint(
            `  publication ${registry.outcome === "updated" && registry.previousSequence !== null ? `${registry.previousSequence} ${theme.symbols.arrow} ` : ""}${registry.sequence}`,
          )
        : registry.commit === null
          ? ""
          : theme.faint(`  ${registry.outcome === "updated" ? from : ""}${registry.commit.slice(0, SHORT_COMMIT)}`);
    const what =
      registry.kind === "folder"
        ? "is a folder, read as it is"
        : registry.outcome === "updated"
          ? "is up to date now"
          : "was up to date";
    return [
      `${theme.good(theme.symbols.done)} ${theme.strong(escapeUntrusted(registry.id))} ${what}${commit}`,
      ...findingLines(registry.findings, theme),
    ];
  });
}
