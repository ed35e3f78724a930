import path from "node:path";
import { canonicalJson, sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { FetchedPackage, PackageRequest } from "./source.ts";

/** Bytes of one file of a lock; the largest real ones have a few. */
const MAX_LOCK_BYTES = 32 * 1024 * 1024;

function refuse(request: PackageRequest, name: string, why: string): IpmError {
  return new IpmError(
    "LOCK_INVALID",
    `the lock of ${request.package} ${request.version}: ${escapeUntrusted(name)} ${why}`,
    {
      hint: "ipm bump NAME VERSION writes it anew; in another registry, tell its maintainers",
      data: { package: request.package, version: request.version, file: name },
    },
  );
}

/**
 * Read the lock of a package: small files of a registry, kept in memory until they are written for the steps. No network.
 * @throws IpmError LOCK_INVALID for a file that is missing or too large
 */
export async function openPackage({ files }: Pick<Host, "files">, request: PackageRequest): Promise<FetchedPackage> {
  const contents = new Map<string, Uint8Array>();
  for (const [name, place] of Object.entries(request.lock)) {
    const facts = await files.facts(place);
    if (facts !== undefined && facts.size > MAX_LOCK_BYTES) throw refuse(request, name, "is too large");
    const bytes = facts?.kind === "file" ? await files.readBytes(place) : undefined;
    if (bytes === undefined) throw refuse(request, name, "is not there");
    contents.set(name, bytes);
  }
  const digests = Object.fromEntries([...contents].map(([name, bytes]) => [name, sha256Hex(bytes)]));
  const listing = [...contents].map(([name, bytes]) => ({
    path: name,
    mode: "100644" as const,
    oid: digests[name] ?? "",
    size: bytes.length,
  }));
  return {
    package: request.package,
    version: request.version,
    integrity: request.integrity,
    lock: sha256Hex(canonicalJson(digests)),
    ref: null,
    dirty: false,
    listing,
    bytes: listing.reduce((sum, { size }) => sum + size, 0),
    readFile: async (name, maxBytes) => {
      const bytes = contents.get(name);
      return bytes === undefined || bytes.length > maxBytes ? undefined : bytes;
    },
    checkout: async (into) => {
      await files.createFolder(into);
      for (const [name, bytes] of contents) {
        await files.write(path.join(into, name), bytes, 0o644);
        // Whatever the umask of the caller.
        await files.setMode(path.join(into, name), 0o644);
      }
    },
  };
}
