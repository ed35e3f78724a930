import type { ToolName } from "../core/ids.ts";
import type { Finding } from "../manifest/finding.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import type { AttestationSummary } from "../trust/attestation.ts";

/** A record of the index: one line of JSON. */
export interface EntryRecord {
  /** The version that a plain `install` takes, or null when there is none: what search shows. */
  readonly version: string | null;
  readonly manifest: ManifestSource;
  /** What the registry's verification has seen of its versions, in the order of their files; left out when nothing. */
  readonly attestations?: readonly AttestationSummary[];
  /** Of a folder: what its files looked like, so that one entry can be compared without looking at the others. */
  readonly stamp?: string;
}

/** The record of an entry whose manifest cannot be used: look-ups say why instead of "not found". */
export interface BrokenRecord {
  /** Path of the manifest, or of what is in its place, below the registry's root. */
  readonly file: string;
  readonly broken: readonly Finding[];
  readonly stamp?: string;
}

/** The record of a name that was taken out of the registry and is never given away again. */
export interface RemovedRecord {
  /** Why. */
  readonly removed: string;
}

/** The record of a file that an entry needs, where the registry's files lie under their content. */
export interface FileRecord {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export type IndexRecord = EntryRecord | BrokenRecord | RemovedRecord | FileRecord;

/** What every index says about its registry, readable without reading an entry. */
export interface IndexMeta {
  readonly id: ToolName;
  readonly name: string;
  /** Of two registries with the same id the one with the higher sequence is used. */
  readonly sequence: number;
  /** What the index was made from: it is of no use for anything else. */
  readonly key: string;
  readonly entries: number;
}

/** What an index says beside, for whoever brings it up to date. */
export interface LayerMeta extends IndexMeta {
  /** Names of the entries that cannot be used, or null when they are too many to be looked at each time. */
  readonly broken: readonly string[] | null;
  /** Digest of the names that were taken out. */
  readonly removed: string;
}
