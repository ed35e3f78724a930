import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { entryPaths, layoutOf, parseEntryId, profilePaths } from "../store/layout.ts";
import { demandReceipt } from "../store/receipts.ts";
import { readCurrent } from "../store/read-current.ts";
import type { Context } from "./context.ts";

export interface WhichResult {
  readonly command: string;
  readonly tool: string;
  readonly version: string;
  /** The file on PATH. */
  readonly launcher: string;
  /** What it runs, inside the store. */
  readonly target: string;
}

/** Which tool provides a command, and where it is. @throws IpmError COMMAND_NOT_PROVIDED */
export async function whichCommand(context: Context, command: string): Promise<WhichResult> {
  const layout = layoutOf(context.host.homes);
  const generation = await readCurrent(context.host, layout, context.emit);
  const entries = generation?.entries ?? [];
  const owner = entries.find(({ bins }) => bins.includes(command));
  const id = owner === undefined ? undefined : parseEntryId(owner.entry);
  if (generation === null || owner === undefined || id === undefined) {
    const near = nearest(
      command,
      entries.flatMap(({ bins }) => bins),
      1,
    )[0];
    throw new IpmError("COMMAND_NOT_PROVIDED", `no installed tool provides ${escapeUntrusted(command)}`, {
      hint: near === undefined ? "ipm list" : `ipm which ${near}`,
      data: { command },
    });
  }
  const receipt = await demandReceipt(context.host, layout, id);
  const launcher = receipt.launchers.find(({ name }) => name === command);
  const prefix = entryPaths(layout, id).prefix;
  return {
    command,
    tool: owner.name,
    version: owner.version,
    launcher: path.join(layout.current, path.basename(profilePaths(layout, generation.number).bin), command),
    target:
      typeof launcher?.file === "string" ? path.join(prefix, launcher.file) : (launcher?.run?.join(" ") ?? prefix),
  };
}
