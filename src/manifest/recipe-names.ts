/** Every recipe of the format, in the order in which they are suggested. Which of them work is said by `not-built-yet.ts`. */
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
