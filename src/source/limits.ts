/** How large and how slow a source may be. Tests pass small values; people never meet these. */
export interface SourceLimits {
  /** Files in the tree. */
  readonly files: number;
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Folders within folders. */
  readonly depth: number;
  /** Bytes of one path. */
  readonly pathBytes: number;
  /** Bytes of one name in a path: what file systems allow. */
  readonly nameBytes: number;
  /** Bytes that a server may send. */
  readonly receivedBytes: number;
  /** Seconds without a single byte from the server. */
  readonly stallSeconds: number;
  /** Milliseconds for one transfer, whatever its speed. */
  readonly fetchMs: number;
  /** Milliseconds for work on this machine: listing, checkout. */
  readonly localMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: SourceLimits = {
  files: 200_000,
  bytes: 4_096 * MIB,
  fileBytes: 1_024 * MIB,
  depth: 64,
  pathBytes: 1_000,
  nameBytes: 255,
  receivedBytes: 4_096 * MIB,
  stallSeconds: 60,
  fetchMs: 30 * 60_000,
  localMs: 10 * 60_000,
};
