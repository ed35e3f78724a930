import { isRecord } from "../core/is-record.ts";

/** What ipm reads of every plan that was carried out: which tool and version, by which method, how trusted, and from where. */
export function saysWhatItInstalls({ tool, method, trust, origin }: Record<string, unknown>): boolean {
  return (
    isRecord(tool) &&
    typeof tool["name"] === "string" &&
    typeof tool["version"] === "string" &&
    isRecord(method) &&
    typeof method["id"] === "string" &&
    isRecord(trust) &&
    typeof trust["level"] === "string" &&
    isRecord(origin) &&
    (origin["registry"] === null || typeof origin["registry"] === "string") &&
    typeof origin["again"] === "string"
  );
}
