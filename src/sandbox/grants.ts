import type { Ecosystem } from "../manifest/ecosystems.ts";
import type { PlannedRun } from "../plan/plan.ts";
import { outermost } from "./paths.ts";
import type { Grants } from "./sandbox.ts";
import type { Toolchain } from "./toolchain.ts";

/** Folders of one store entry, real and absolute. Nothing of the package can write the folder that holds them. */
export interface StepFolders {
  readonly prefix: string;
  /** The checkout. */
  readonly source: string;
  readonly home: string;
  readonly tmp: string;
  /** What compilers keep for the next build of the same tool; none when absent. */
  readonly cache?: string;
}

/** Folders of one test: the finished prefix, the launchers, and places of its own. */
export interface TestFolders {
  readonly prefix: string;
  /** The folder of the new launchers. */
  readonly launchers: string;
  readonly home: string;
  readonly tmp: string;
  /** The working folder. */
  readonly work: string;
  /** The tool's data, which is the test's own; null where the tool keeps none. */
  readonly state: string | null;
}

function readableOf(toolchains: readonly Toolchain[]): string[] {
  return toolchains.flatMap(({ readable }) => readable);
}

/**
 * What a step may touch: it writes its checkout, its prefix, private HOME and TMP and its tool's build cache, and
 * reads the toolchains.
 * @param credentials ecosystems whose credentials the policy allows; a step gets those that it declares itself
 */
export function grantsOfStep(
  step: PlannedRun,
  folders: StepFolders,
  toolchains: readonly Toolchain[],
  credentials: readonly Ecosystem[] = [],
): Grants {
  return {
    writable: outermost([
      folders.prefix,
      folders.source,
      folders.home,
      folders.tmp,
      ...(folders.cache === undefined ? [] : [folders.cache]),
    ]),
    readable: outermost(readableOf(toolchains)),
    network: step.network,
    credentials: credentials.filter((ecosystem) => step.network.includes(ecosystem)),
  };
}

/** Grants with one folder inside a writable one that can only be read; the same without one. */
export function protect(grants: Grants, folder: string | undefined): Grants {
  return folder === undefined ? grants : { ...grants, protected: [folder] };
}

/** What a test of a workspace may touch: it works in the workspace, like whoever enters it, and has no network. */
export function grantsOfWorkspaceTest(
  folders: Pick<TestFolders, "home" | "tmp"> & { readonly workspace: string; readonly git: string },
  toolchains: readonly Toolchain[],
): Grants {
  const grants = {
    writable: outermost([folders.workspace, folders.home, folders.tmp]),
    readable: outermost(readableOf(toolchains)),
    network: [],
  };
  return protect(grants, folders.git);
}

/** What a test may touch: it writes its own places and data, only reads the prefix and the launchers, and has no network. */
export function grantsOfTest(folders: TestFolders, toolchains: readonly Toolchain[]): Grants {
  return {
    writable: outermost([folders.home, folders.tmp, folders.work, ...(folders.state === null ? [] : [folders.state])]),
    readable: outermost([folders.prefix, folders.launchers, ...readableOf(toolchains)]),
    network: [],
  };
}
