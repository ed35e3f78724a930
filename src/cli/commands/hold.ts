import type { Answer, CommandSpec, Invocation, Session } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

async function runHold(session: Session, invocation: Invocation, held: boolean): Promise<Answer> {
  const { hold } = await import("../../usecases/hold.ts");
  const { renderHold } = await import("../render/changes.ts");
  const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
  const result = await hold(context, invocation.operands, held);
  return { result, render: (theme) => renderHold(result.tools, theme) };
}

const SHARED = {
  operands: "NAME...",
  group: "Install",
  options: [LOCK_TIMEOUT],
  json: "{generation, tools: [{name, version, held}]}",
  completes: "installed",
} as const;

export const holdCommand: CommandSpec = {
  ...SHARED,
  name: "hold",
  alias: "pin",
  summary: "keep tools at their version",
  examples: [["ipm hold lstm-demo", "`ipm upgrade` leaves it alone"]],
  run: (session, invocation) => runHold(session, invocation, true),
};

export const unholdCommand: CommandSpec = {
  ...SHARED,
  name: "unhold",
  alias: "unpin",
  summary: "let tools be upgraded again",
  examples: [["ipm unhold lstm-demo", "`ipm upgrade` may move it"]],
  run: (session, invocation) => runHold(session, invocation, false),
};
