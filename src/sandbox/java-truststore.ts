import { createHash } from "node:crypto";

/** What every Java's own store has as its password: it guards nothing, and the format asks for one. */
export const TRUSTSTORE_PASSWORD = "changeit";

const MAGIC = 0xfeed_feed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;
/** The word that keys the digest, in every implementation of the format. */
const WHITENER = "Mighty Aphrodite";

/** `DataOutput.writeUTF` for ASCII. */
function utf(text: string): Buffer {
  const bytes = Buffer.from(text, "ascii");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * The certificates of a PEM text as a Java key store (JKS), because Java reads no PEM. The same text gives the same bytes.
 * Format: OpenJDK's sun.security.provider.JavaKeyStore, version 2.
 */
export function javaTruststore(pem: string): Uint8Array {
  const certificates = [
    ...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/gu),
  ].map((match) => Buffer.from(match[1] ?? "", "base64"));
  const entries = certificates.flatMap((certificate, index) => [
    uint32(TRUSTED_CERTIFICATE),
    utf(`ipm-${index}`),
    Buffer.alloc(8),
    utf("X.509"),
    uint32(certificate.length),
    certificate,
  ]);
  const content = Buffer.concat([uint32(MAGIC), uint32(VERSION), uint32(certificates.length), ...entries]);
  const password = Buffer.from(TRUSTSTORE_PASSWORD, "utf16le").swap16();
  const digest = createHash("sha1").update(password).update(WHITENER).update(content).digest();
  return Buffer.concat([content, digest]);
}
