/** Bytes of a manifest or `registry.yaml`. */
export const MAX_BYTES = 256 * 1024;
/** Levels of lists and maps. */
export const MAX_DEPTH = 32;
/** Findings that are listed for one file. */
export const MAX_FINDINGS = 100;
