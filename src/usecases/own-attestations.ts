import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import { type Host, platformId } from "../core/host.ts";
import type { ToolName } from "../core/ids.ts";
import {
  type Attestation,
  type AttestationPlace,
  type AttestationSummary,
  attestationFile,
  formatAttestations,
  parseAttestations,
  summarize,
} from "../trust/attestation.ts";

/** Where this machine keeps what its own `ipm verify` saw: that counts here and nowhere else. */
function ownFile(host: Pick<Host, "homes">, { name, version, platform }: AttestationPlace): string {
  return path.join(host.homes.data, "attestations", name, attestationFile(version, platform));
}

/** The attestations of one file; none when it is missing or cannot be believed. */
export async function readAttestationFile(
  { files }: Pick<Host, "files">,
  file: string,
  place: AttestationPlace,
): Promise<readonly Attestation[]> {
  // What cannot be read vouches for nothing.
  const content = await files.readText(file).catch((error: unknown) => {
    if (isIpmError(error, "IO_FAILED")) return undefined;
    throw error;
  });
  const parsed = content === undefined ? undefined : parseAttestations(content, place);
  return parsed?.ok === true ? parsed.attestations : [];
}

/** What this machine's own runs have seen of a version. */
export async function readOwnAttestations(
  host: Pick<Host, "files" | "homes" | "facts">,
  name: ToolName,
  version: string,
): Promise<AttestationSummary[]> {
  const place = { name, version, platform: platformId(host.facts.platform) };
  const attestations = await readAttestationFile(host, ownFile(host, place), place);
  return attestations.map((attestation) => summarize(attestation, null));
}

/** Put attestations of one version and platform into a file; statements about other methods that are there stay. */
export async function writeAttestations(
  host: Pick<Host, "files">,
  file: string,
  place: AttestationPlace,
  attestations: readonly Attestation[],
): Promise<void> {
  const methods = new Set(attestations.map(({ method }) => method));
  const kept = (await readAttestationFile(host, file, place)).filter(({ method }) => !methods.has(method));
  await host.files.createFolder(path.dirname(file));
  await host.files.writeDurably(file, formatAttestations([...kept, ...attestations]));
}

/** Keep attestations for this machine alone. */
export async function writeOwnAttestations(
  host: Pick<Host, "files" | "homes">,
  place: AttestationPlace,
  attestations: readonly Attestation[],
): Promise<void> {
  await writeAttestations(host, ownFile(host, place), place, attestations);
}
