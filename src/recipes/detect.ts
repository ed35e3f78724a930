import type { Candidate, Confidence, DetectInput } from "./candidate.ts";
import type { SourceFile } from "./listing.ts";
import { RECIPES } from "./recipes.ts";

const RANK: Readonly<Record<Confidence, number>> = { certain: 0, likely: 1, possible: 2 };

/** Most files that a detection reads: a repository with more of them is looked at in part. */
export const MAX_DETECT_READS = 200;

/** Files whose text the detection of all recipes wants, at most `MAX_DETECT_READS`. */
export function detectReads(files: readonly SourceFile[]): readonly string[] {
  return [...new Set(RECIPES.flatMap((recipe) => recipe.detectReads(files)))].slice(0, MAX_DETECT_READS);
}

/**
 * Every way to install a repository that some recipe sees, the surest first; of equals those nearer to the root, then in
 * the recipes' order. Pure.
 */
export function detect(input: DetectInput): readonly Candidate[] {
  const depth = ({ dir }: Candidate): number => (dir === null ? 0 : dir.split("/").length);
  return RECIPES.flatMap((recipe) => recipe.detect(input)).toSorted(
    (a, b) => RANK[a.confidence] - RANK[b.confidence] || depth(a) - depth(b),
  );
}
