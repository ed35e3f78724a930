import { type ToolName, isToolName, isVersion } from "../core/ids.ts";

/** A TARGET that a registry is asked for by its name. */
export interface NameTarget {
  readonly kind: "name";
  /** Id of the registry, when the target names one. */
  readonly registry: string | null;
  readonly name: ToolName;
  /** As typed; `HEAD` is the newest commit of a tracked branch. */
  readonly version: string | null;
}

/** Apart at the last `@` after the last `/` or `:`; a text without one has no ref. */
export function splitRef(text: string): { place: string; ref: string | null } {
  const from = Math.max(text.lastIndexOf("/"), text.lastIndexOf(":")) + 1;
  const at = text.indexOf("@", from) < 0 ? -1 : text.lastIndexOf("@");
  return at < from ? { place: text, ref: null } : { place: text.slice(0, at), ref: text.slice(at + 1) };
}

/**
 * Read `name`, `name@version` or `registry:name`, as most targets are: what reads the others need not be loaded for them.
 * @returns undefined for every other text; `parseTarget` reads it, or says what is wrong
 */
export function nameTarget(text: string): NameTarget | undefined {
  const { place, ref: version } = splitRef(text);
  const [first = "", second, ...others] = place.split(":");
  const name = second ?? first;
  if (others.length > 0 || (second !== undefined && !isToolName(first)) || !isToolName(name)) return undefined;
  if (version !== null && !isVersion(version)) return undefined;
  return { kind: "name", registry: second === undefined ? null : first, name, version };
}
