import path from "node:path";
import type { Context } from "../usecases/context.ts";
import { findOnPath } from "../usecases/find-on-path.ts";
import type { Session } from "./command.ts";
import { showWord } from "./render/format.ts";

/** What has to be typed for this very ipm: `ipm` where PATH has one, else `node` and the program's path. */
export async function ownCommand(session: Session, { host }: Context): Promise<string> {
  if ((await findOnPath(host, "ipm")) !== undefined) return "ipm";
  const program = path.join(session.installation.root, "bin/ipm.cjs");
  const relative = path.relative(host.facts.cwd, program);
  return `node ${showWord(relative.startsWith("..") ? program : relative)}`;
}
