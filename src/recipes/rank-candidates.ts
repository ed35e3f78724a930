import { isLauncherName } from "../core/ids.ts";
import { isProtectedLauncher } from "../manifest/protected-launchers.ts";
import type { Candidate, Confidence } from "./candidate.ts";

const RANK: Readonly<Record<Confidence, number>> = { certain: 0, likely: 1, possible: 2 };
/** Recipes that build the same kind of source, so that one can stand in for another. */
const NATIVE = new Set(["cmake", "meson", "autotools", "make"]);

/** The candidate's commands that a manifest may provide. */
export function usableBins(candidate: Candidate): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(candidate.bins).filter(([name]) => isLauncherName(name) && !isProtectedLauncher(name)),
  );
}

/**
 * Candidates, the one to take first in front: those that make a command before those that make none, by how sure their
 * recipe is, then those with a command of the repository's name. Stable.
 * @param name the repository's own name
 */
export function rankCandidates(candidates: readonly Candidate[], name: string): readonly Candidate[] {
  const wanted = name.toLowerCase();
  const score = (candidate: Candidate): readonly number[] => {
    const bins = Object.keys(usableBins(candidate));
    return [
      bins.length > 0 ? 0 : 1,
      RANK[candidate.confidence],
      bins.includes(wanted) || candidate.about.name?.toLowerCase() === wanted ? 0 : 1,
    ];
  };
  return candidates.toSorted((a, b) => {
    const [left, right] = [score(a), score(b)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
  });
}

/** The other candidates that can follow the first as further methods of the same manifest. */
export function alternativesOf(first: Candidate, ranked: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set([first.recipe]);
  return ranked.filter((candidate) => {
    // Where one build system stands in for another, or another ecosystem's package makes the very same commands; a
    // Makefile of a Go project mostly runs its linters.
    const bins = Object.keys(usableBins(candidate));
    const isNative = NATIVE.has(first.recipe) && NATIVE.has(candidate.recipe) && bins.length > 0;
    const isSame =
      !NATIVE.has(candidate.recipe) &&
      // Beside Maven it is the same program once more, built by what has to be fetched first.
      candidate.recipe !== "gradle" &&
      candidate.confidence !== "possible" &&
      candidate.dir === null &&
      Object.keys(usableBins(first)).every((bin) => bins.includes(bin));
    const fits = (isNative || isSame) && !seen.has(candidate.recipe);
    if (fits) seen.add(candidate.recipe);
    return fits;
  });
}
