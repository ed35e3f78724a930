import type { Host } from "../core/host.ts";
import type { SourceContext } from "../source/git-store.ts";

/** What registries need of the outside. */
export interface RegistryContext extends SourceContext {
  readonly host: SourceContext["host"] & Pick<Host, "now" | "retrieve">;
  /** Absolute folder that `compileRegistry` made when ipm was built, or null for none. */
  readonly embedded: string | null;
  /** Changes whenever this ipm could read a manifest differently (its version): indexes of another one are not used. */
  readonly build: string;
}
