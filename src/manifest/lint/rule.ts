import type { ManifestSource, RepositoryManifestSource } from "../schema.ts";
import type { Path } from "../validate.ts";
import type { LintCode } from "./lint-codes.ts";

/** A manifest that the schema has accepted: of a registry, or a repository's own without `source` and `versions`. */
export type LintSubject = RepositoryManifestSource & Partial<Pick<ManifestSource, "source" | "versions">>;

/** What a pin looks like on the source's own server; asked only where there is a network. */
export interface PinFacts {
  /** The commit that the version's tag points to now; null when the tag is gone; undefined when `ref` is no tag. */
  readonly tagCommit: string | null | undefined;
  /** The branch or tag that holds the commit, or null for a commit that none holds. */
  readonly heldBy: string | null;
}

/** What rules are told beside the manifest itself. */
export interface LintFacts {
  /** `registry`: an entry of a registry. `repository`: a repository's own `ipm.yaml`. */
  readonly kind: "registry" | "repository";
  /** Platforms by version on which the registry's own verification has passed; null where no registry was looked at. */
  readonly attested: Readonly<Record<string, readonly string[]>> | null;
  /** By version; empty without a network. */
  readonly pins: Readonly<Record<string, PinFacts>>;
  /** The options of each recipe; null where nobody has said them. */
  readonly recipeOptions: Readonly<Record<string, readonly string[]>> | null;
}

/** A change that `ipm lint --fix` makes by itself: one value, one key, or the order of the keys. */
export type LintFix =
  | { readonly kind: "set"; readonly path: Path; readonly value: string }
  | { readonly kind: "remove"; readonly path: Path }
  | { readonly kind: "order" };

export interface LintProblem {
  readonly path: Path;
  /** The place is the key that leads there, not its value. */
  readonly key?: boolean;
  readonly message: string;
  /** What to write instead, for this case. */
  readonly hint?: string;
  readonly fix?: LintFix;
}

/** One rule: what it finds, why that matters and what to do; documentation and check in one place. Pure. */
export interface LintRule {
  readonly code: LintCode;
  readonly severity: "error" | "warning";
  /** What is wrong, in one sentence. */
  readonly means: string;
  /** Why it matters, for whoever reads the documentation. */
  readonly why: string;
  /** What to do, in one sentence. */
  readonly cure: string;
  /** Lines of a manifest that it finds something in, and the same as they should be. */
  readonly bad: string;
  readonly good: string;
  check(subject: LintSubject, facts: LintFacts): readonly LintProblem[];
}
