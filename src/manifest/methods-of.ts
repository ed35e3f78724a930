import type { ManifestSource, MethodSource } from "./schema.ts";

/** A method with its id, the shorthand (`steps` without `methods`) included. */
export interface NamedMethod {
  readonly id: string;
  readonly method: MethodSource;
}

/**
 * The methods in order of preference; `steps` without `methods` is the only one. Empty for a library and for an entry that
 * is only offered elsewhere.
 */
export function methodsOf(source: Pick<ManifestSource, "methods" | "steps">): readonly NamedMethod[] {
  const methods = source.methods ?? (source.steps === undefined ? [] : [{ steps: source.steps }]);
  return methods.map((method) => ({
    id: method.id ?? method.steps.find(({ uses }) => uses !== undefined)?.uses ?? "steps",
    method,
  }));
}
