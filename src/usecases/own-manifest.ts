import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { formatFinding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { MANIFEST_FILE, PACKAGES, findRegistryRoot } from "../registry/registry-tree.ts";
import type { Context } from "./context.ts";
import { shownPath } from "./manifest-files.ts";

/** A manifest that belongs to the person who runs the command: a file, or an entry of the registry they stand in. */
export interface OwnManifest {
  /** Absolute. */
  readonly path: string;
  readonly shown: string;
  readonly text: string;
  readonly manifest: ManifestSource;
  /** Root of the registry that it lies in, or null. */
  readonly registry: string | null;
}

/** Read a manifest of a registry or file; every problem is in the error. @throws IpmError MANIFEST_INVALID */
export function demandOwnManifest(text: string, shown: string, named: boolean): ManifestSource {
  const parsed = parseManifest(new TextEncoder().encode(text), shown, { named });
  if (parsed.ok) return parsed.manifest;
  throw new IpmError("MANIFEST_INVALID", parsed.findings.map(formatFinding).join("\n"), {
    hint: `ipm lint ${shown}`,
    data: { findings: parsed.findings },
  });
}

/**
 * The manifest that a name or a path means: a file, `packages/NAME/manifest.yaml` of the registry in the current folder,
 * or `NAME.yaml` in it.
 * @throws IpmError MANIFEST_MISSING, MANIFEST_INVALID
 */
export async function findOwnManifest(context: Context, typed: string): Promise<OwnManifest> {
  const { files, facts } = context.host;
  const registry = await findRegistryRoot(files, facts.cwd);
  const candidates = [
    path.resolve(facts.cwd, typed),
    ...(registry === undefined || /[/\\]/u.test(typed) ? [] : [path.join(registry, PACKAGES, typed, MANIFEST_FILE)]),
    path.resolve(facts.cwd, `${typed}.yaml`),
  ];
  for (const candidate of candidates) {
    const place = (await files.facts(candidate))?.kind === "folder" ? path.join(candidate, MANIFEST_FILE) : candidate;
    if ((await files.facts(place))?.kind !== "file") continue;
    const text = (await files.readText(place)) ?? "";
    const shown = shownPath(facts.cwd, place);
    const root = path.dirname(path.dirname(path.dirname(place)));
    const own =
      (await findRegistryRoot(files, root)) === root && path.basename(path.dirname(path.dirname(place))) === PACKAGES;
    return { path: place, shown, text, manifest: demandOwnManifest(text, shown, !own), registry: own ? root : null };
  }
  throw new IpmError("MANIFEST_MISSING", `there is no manifest of ${escapeUntrusted(typed)} here`, {
    hint: "stand in the registry's folder, or name the file",
    data: { name: typed },
  });
}
