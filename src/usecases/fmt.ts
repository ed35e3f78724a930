import type { Finding } from "../manifest/finding.ts";
import { formatManifest } from "../manifest/format-manifest.ts";
import type { Context } from "./context.ts";
import { findManifests } from "./manifest-files.ts";

export interface FormatReport {
  /** Files that were looked at, as they are shown. */
  readonly files: readonly string[];
  /** Those that were not in canonical form; written unless only checked. */
  readonly changed: readonly string[];
  /** Why files could not be read; those are left alone. */
  readonly findings: readonly Finding[];
}

/**
 * Put manifests into canonical form.
 * @param check only say which are not
 * @throws IpmError TARGET_INVALID, MANIFEST_MISSING, IO_FAILED
 */
export async function formatFiles(context: Context, paths: readonly string[], check: boolean): Promise<FormatReport> {
  const { files, facts } = context.host;
  const { manifests } = await findManifests(files, facts.cwd, paths);
  const changed: string[] = [];
  const findings: Finding[] = [];
  for (const { path, shown } of manifests) {
    const bytes = await files.readBytes(path);
    if (bytes === undefined) continue;
    const result = formatManifest(bytes, shown);
    if (!result.ok) {
      findings.push(...result.findings);
      continue;
    }
    if (Buffer.from(bytes).toString("utf8") === result.text && !hasMark(bytes)) continue;
    changed.push(shown);
    if (!check) await files.writeDurably(path, result.text);
  }
  return { files: manifests.map(({ shown }) => shown), changed, findings };
}

/** True when the file begins with a byte order mark, which decoding may hide. */
function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
