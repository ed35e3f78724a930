import { type Draft, type DraftInput, type DraftVersion, draftManifest } from "../recipes/draft-manifest.ts";
import { detectReads } from "../recipes/detect.ts";
import { evidenceReads } from "../recipes/draft-evidence.ts";
import type { FetchedCommit } from "../source/source.ts";

/** Larger files are no package files and no README. */
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_SCRIPTS = 12;

export interface DraftTarget {
  /** The repository's own name, for conventions that go by it. */
  readonly name: string;
  /** The URL for `source.git`, or null for an `ipm.yaml`. */
  readonly git: string | null;
  readonly versions: readonly DraftVersion[];
}

/** Executable files near the root: their first line says what runs them. */
function scriptsOf(source: FetchedCommit): string[] {
  return source.listing
    .filter(({ path, mode, size }) => mode === "100755" && path.split("/").length <= 2 && (size ?? 0) < MAX_TEXT_BYTES)
    .map(({ path }) => path)
    .slice(0, MAX_SCRIPTS);
}

/** What a draft is made from: the listing, and the texts of the files that tell something. */
export async function readForDraft(source: FetchedCommit, target: DraftTarget): Promise<DraftInput> {
  const files = source.listing
    .filter(({ mode }) => mode === "100644" || mode === "100755")
    .map(({ path, mode }) => ({ path, executable: mode === "100755" }));
  const wanted = new Set([...detectReads(files), ...evidenceReads(files), ...scriptsOf(source)]);
  const texts: Record<string, string> = {};
  for (const file of wanted) {
    const bytes = await source.readFile(file, MAX_TEXT_BYTES);
    if (bytes !== undefined) texts[file] = new TextDecoder().decode(bytes);
  }
  const submodules = source.listing.filter(({ mode }) => mode === "160000").map(({ path }) => path);
  return { files, texts, submodules, ...target };
}

/**
 * Draft a manifest for a fetched source.
 * @returns undefined when no recipe sees how to install it
 */
export async function draftSource(source: FetchedCommit, target: DraftTarget): Promise<Draft | undefined> {
  return draftManifest(await readForDraft(source, target));
}

/** The repository's name in its URL or path: `https://example.org/owner/ripcat.git` is `ripcat`. */
export function repositoryName(place: string): string {
  const last = place.replace(/[/]+$/u, "").split("/").at(-1) ?? "";
  return decodeName(last.replace(/\.git$/u, ""));
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
