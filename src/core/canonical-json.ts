import { createHash } from "node:crypto";

/**
 * JSON with keys sorted by code unit, no white space, and undefined members left out: equal values give equal bytes
 * (the idea of RFC 8785, for the strings, booleans, integers, arrays and objects that ipm writes).
 * @throws TypeError for a number that is not a safe integer, and for anything that JSON cannot hold
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new TypeError(`canonical JSON holds safe integers only, not ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  throw new TypeError(`canonical JSON cannot hold ${typeof value}`);
}

/** A digest in hex as ecosystems write it: `sha256-<base64>` (https://www.w3.org/TR/SRI/). */
export function integrityOfHex(algorithm: string, hex: string): string {
  return `${algorithm}-${Buffer.from(hex, "hex").toString("base64")}`;
}

/** sha256 of a text's UTF-8 bytes, as 64 hex digits. */
export function sha256Hex(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
