import type { Ecosystem } from "../manifest/ecosystems.ts";
import type { RunText } from "../manifest/manifest.ts";

interface PlannedStepCommon {
  /** `1`, `2`, … in the order of execution. */
  readonly id: string;
  readonly title: string;
  readonly why: string | null;
}

export interface PlannedRun extends PlannedStepCommon {
  readonly kind: "run";
  readonly run: RunText;
  readonly dir: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly network: readonly string[];
  /** The recipe that made it, or null for a step of the manifest. */
  readonly recipe: string | null;
}

/** Done by ipm itself, without running anything of the package. */
export interface PlannedCopy extends PlannedStepCommon {
  readonly kind: "copy";
  /** Path in the checkout (`.` for all of it) and in the prefix. */
  readonly from: string;
  readonly to: string;
  /** Top-level names below `from` that are left out, besides `.git`. */
  readonly exclude: readonly string[];
  readonly recipe: string | null;
}

export type PlannedStep = PlannedRun | PlannedCopy;

/** Fetched and checked by ipm itself before the first step, which finds it as `$TMPDIR/ipm-downloads/FILE`. */
export interface PlannedDownload {
  /** A plain file name. */
  readonly file: string;
  readonly url: string;
  readonly sha256: string;
  /** About how many bytes it has, or null. */
  readonly bytes: number | null;
  /** The ecosystem whose package it is a part of: it then comes from where this machine is configured to get those. */
  readonly ecosystem?: Ecosystem;
}
