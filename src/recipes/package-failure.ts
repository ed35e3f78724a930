import { type ErrorCode, IpmError } from "../core/errors.ts";
import { formatPackageReference, type PackageReference } from "../manifest/package-reference.ts";

/** The refusal of a lock. @param why completes "the lock of npm:ripcat 2.1.0: …" */
export function invalidLock(reference: PackageReference, version: string, why: string): IpmError {
  const name = formatPackageReference(reference);
  return new IpmError("LOCK_INVALID", `the lock of ${name} ${version}: ${why}`, {
    hint: "ipm bump NAME VERSION writes it anew; in another registry, tell its maintainers",
    data: { package: name, version, why },
  });
}

/** The refusal of what an ecosystem's registry answered. @param why completes "npm:ripcat: …" */
export function unusablePackage(reference: PackageReference, why: string): IpmError {
  const name = formatPackageReference(reference);
  return new IpmError("PACKAGE_UNUSABLE", `${name}: ${why}`, {
    hint: "look the package up in its registry; another version may do",
    data: { package: name, why },
  });
}

/** What went wrong between a client and its registry, as far as its own words tell. */
export interface PackageFailure {
  readonly code: Extract<ErrorCode, "PACKAGE_NOT_FOUND" | "PACKAGE_MISMATCH" | "PACKAGE_UNREACHABLE" | "OFFLINE">;
  /** Completes "step 1 (npm ci): …". */
  readonly what: string;
}

/** The words of npm, pip, cargo, go and Maven, the worst first. */
const SIGNS: readonly (readonly [RegExp, PackageFailure["code"], string])[] = [
  [
    /\bEINTEGRITY\b|DO NOT MATCH THE HASHES|checksum (?:for `[^`]*` changed|mismatch)|failed to verify the checksum|verifying .*: checksum mismatch|SECURITY ERROR|Checksum validation failed/iu,
    "PACKAGE_MISMATCH",
    "the registry handed out a file that is not the one of the lock",
  ],
  [/\bENOTCACHED\b/u, "OFFLINE", "a package is not on this machine yet, and there is no network"],
  // Before what is not found: pip ends with that word where it could reach nothing.
  [
    /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E40[13]|E50[0234])\b|Max retries exceeded|NewConnectionError|ProxyError|Could not fetch URL|could not resolve host|couldn't connect|dial tcp|reading https?:\/\/\S+: (?:403|5\d\d) |connection refused|network is unreachable|name resolution|request to \S+ failed/iu,
    "PACKAGE_UNREACHABLE",
    "the registry could not be reached",
  ],
  [
    /\bE404\b|\bETARGET\b|No matching (?:version|distribution) found|no matching package named|failed to select a version for the requirement|is yanked|unknown revision|404 Not Found|\b410 Gone\b|Could not find artifact/iu,
    "PACKAGE_NOT_FOUND",
    "the registry does not have a package or version that the lock pins",
  ],
  [/failed to download|Could not transfer artifact/iu, "PACKAGE_UNREACHABLE", "the registry could not be reached"],
];

/** What the last lines of a client that failed say of its registry; undefined when they are about something else. */
export function findPackageFailure(lines: readonly string[]): PackageFailure | undefined {
  const text = lines.join("\n");
  const found = SIGNS.find(([sign]) => sign.test(text));
  return found === undefined ? undefined : { code: found[1], what: found[2] };
}
