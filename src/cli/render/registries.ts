import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { renderTable } from "./table.ts";
import type { Theme } from "./theme.ts";

interface Registry {
  readonly id: string;
  readonly kind: string;
  readonly location: string;
  readonly entries: number | null;
  readonly commit: string | null;
}

const SHORT_COMMIT = 12;

/** `ipm registry list`. */
export function renderRegistries(registries: readonly Registry[], theme: Theme): readonly string[] {
  return renderTable(
    registries,
    [
      { title: "id", value: (registry) => escapeUntrusted(registry.id), paint: (text) => theme.strong(text) },
      { title: "kind", value: (registry) => escapeUntrusted(registry.kind) },
      { title: "entries", value: (registry) => (registry.entries === null ? "not fetched" : String(registry.entries)) },
      { title: "commit", value: (registry) => registry.commit?.slice(0, SHORT_COMMIT) ?? "" },
      { title: "location", value: (registry) => escapeUntrusted(registry.location) },
    ],
    theme,
    false,
  );
}

/** `ipm update`. */
export function renderUpdate(
  result: {
    readonly registries: readonly {
      readonly id: string;
      readonly state: "updated" | "current" | "failed";
      readonly detail: string | null;
    }[];
    readonly configured: number;
  },
  theme: Theme,
): readonly string[] {
  if (result.configured === 0) {
    return [
      "no registry is configured; the embedded one comes with ipm",
      theme.faint(`${theme.symbols.arrow} ipm registry add URL`),
    ];
  }
  return result.registries.map((registry) => {
    const symbol = registry.state === "failed" ? theme.bad(theme.symbols.failed) : theme.good(theme.symbols.done);
    const state =
      registry.state === "failed"
        ? "could not be fetched"
        : registry.state === "updated"
          ? "is up to date now"
          : "was up to date";
    return `${symbol} ${theme.strong(escapeUntrusted(registry.id))} ${state}${registry.detail === null ? "" : theme.faint(`  ${escapeUntrusted(registry.detail)}`)}`;
  });
}
