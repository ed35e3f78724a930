import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isToolName } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type Layout, layoutOf, parseEntryId } from "../store/layout.ts";
import { isOneOffLog, timeOfLog } from "../store/log-names.ts";
import { readCurrent } from "../store/read-current.ts";
import { readReceipt } from "../store/receipts.ts";
import type { Context } from "./context.ts";

export interface LogResult {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** The log of what is installed now, by its receipt: it may have been built for `ipm run` first. */
async function logOfInstalled({ host, emit }: Context, layout: Layout, name: string): Promise<string | undefined> {
  const current = await readCurrent(host, layout, emit);
  const id = parseEntryId(current?.entries.find((entry) => entry.name === name)?.entry ?? "");
  const found = id === undefined ? undefined : await readReceipt(host, layout, id);
  return found?.state === "complete" ? path.basename(found.receipt.log) : undefined;
}

/** The name of the log that is meant: of the installations and of what is installed the newest, else of an `ipm run`. */
async function chooseLog(context: Context, layout: Layout, name: string): Promise<string | undefined> {
  const logs = await context.host.files.list(path.join(layout.logs, name));
  const installed = await logOfInstalled(context, layout, name);
  const ours = logs.filter((file) => timeOfLog(file) !== undefined);
  return ours.findLast((file) => file === installed || !isOneOffLog(file)) ?? ours.at(-1);
}

/**
 * The log of the steps and tests of a tool's last installation, whether it failed or not; what `ipm run` built counts
 * where nothing else was.
 * @throws IpmError LOG_NOT_FOUND
 */
export async function readLog(context: Context, name: string): Promise<LogResult> {
  const layout = layoutOf(context.host.homes);
  const chosen = isToolName(name) ? await chooseLog(context, layout, name) : undefined;
  const file = path.join(layout.logs, name, chosen ?? "");
  const text = chosen === undefined ? undefined : await context.host.files.readText(file);
  if (text === undefined) {
    throw new IpmError("LOG_NOT_FOUND", `there is no log of ${escapeUntrusted(name)}`, {
      hint: "ipm list",
      data: { name },
    });
  }
  return { name, path: file, text };
}
