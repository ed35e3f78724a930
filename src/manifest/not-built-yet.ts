/**
 * Parts of the format that this ipm reads and cannot carry out: they are refused by name. Making one work deletes its line.
 * A key is written without list indexes, and without `methods.` before `steps`, `requires` and `tests`; `=` names a value.
 */
export const NOT_BUILT_YET: Readonly<Record<string, string>> = {
  "source.submodules": "sources with submodules",
  "source.track": "following a branch",
};
