import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Context } from "../usecases/context.ts";
import { findOnPath } from "../usecases/find-on-path.ts";
import type { Session } from "./command.ts";
import { showWord } from "./render/format.ts";

/** A path as it can be typed here; whole where it is elsewhere, or where `here` is no more. */
function fromHere({ facts }: Host, program: string): string {
  try {
    const relative = path.relative(facts.cwd, program);
    return relative.startsWith("..") ? program : relative;
  } catch (error) {
    if (isIpmError(error)) return program;
    throw error;
  }
}

/** What has to be typed for this very ipm: `ipm` where PATH has one, else `node` and the program's path. */
export async function ownCommand(session: Session, { host }: Context): Promise<string> {
  if ((await findOnPath(host, "ipm")) !== undefined) return "ipm";
  const program = path.join(session.installation.root, "bin/ipm.cjs");
  return `node ${showWord(fromHere(host, program))}`;
}
