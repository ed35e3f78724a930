import type { IpmEvent } from "../../core/events.ts";
import { safeJson } from "../render/format.ts";
import type { Output } from "../streams.ts";
import type { Reporter } from "./reporter.ts";

type ReportedError = Extract<IpmEvent, { readonly ok: false }>["error"];

/** All four members are always there: a program need not ask whether a hint exists. */
function documentOf({ code, message, hint, data }: ReportedError): Record<string, unknown> {
  return { code, message, hint: hint ?? null, data: data ?? {} };
}

/**
 * `--json`: one document on stdout, `{"ok": true, "result": …}` or `{"ok": false, "error": {code, message, hint, data}}`,
 * and nothing else.
 */
export function createJsonReporter(stdout: Output): Reporter {
  return {
    emit: (event) => {
      if (event.type !== "run.finished") return;
      const document = event.ok
        ? { ok: true, result: event.result ?? null }
        : { ok: false, error: documentOf(event.error) };
      stdout.write(`${safeJson(document, 2)}\n`);
    },
    pause: () => undefined,
    resume: () => undefined,
    stop: () => undefined,
  };
}
