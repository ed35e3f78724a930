import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isToolName } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { layoutOf } from "../store/layout.ts";
import type { Context } from "./context.ts";

export interface LogResult {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** The newest log of a tool's steps and tests. @throws IpmError LOG_NOT_FOUND */
export async function readLog(context: Context, name: string): Promise<LogResult> {
  const layout = layoutOf(context.host.homes);
  const folder = path.join(layout.logs, name);
  const newest = isToolName(name)
    ? (await context.host.files.list(folder)).findLast((file) => file.endsWith(".log"))
    : undefined;
  const text = newest === undefined ? undefined : await context.host.files.readText(path.join(folder, newest));
  if (newest === undefined || text === undefined) {
    throw new IpmError("LOG_NOT_FOUND", `there is no log of ${escapeUntrusted(name)}`, {
      hint: "ipm list",
      data: { name },
    });
  }
  return { name, path: path.join(folder, newest), text };
}
