/** Every recipe of the format, in the order in which they are suggested. */
export const RECIPE_NAMES = [
  "npm",
  "python",
  "cargo",
  "go",
  "make",
  "cmake",
  "meson",
  "autotools",
  "maven",
  "gradle",
  "file",
  "copy",
] as const;
