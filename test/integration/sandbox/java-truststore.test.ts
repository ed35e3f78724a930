import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { TRUSTSTORE_PASSWORD, javaTruststore } from "../../../src/sandbox/java-truststore.ts";

const BUNDLE = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"].find((file) =>
  fs.existsSync(file),
);
const KEYTOOL = "/usr/bin/keytool";

test("an empty store is the format's header and a digest", () => {
  expect(Buffer.from(javaTruststore("")).subarray(0, 12).toString("hex")).toBe("feedfeed0000000200000000");
  expect(javaTruststore("")).toHaveLength(12 + 20);
});

test.runIf(BUNDLE !== undefined && fs.existsSync(KEYTOOL))(
  "Java reads every certificate of the system's bundle from it",
  () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ipm-test-truststore-"));
    try {
      const pem = fs.readFileSync(BUNDLE ?? "", "utf8");
      const count = pem.split("-----BEGIN CERTIFICATE-----").length - 1;
      const file = path.join(folder, "store.jks");
      fs.writeFileSync(file, javaTruststore(pem));
      const list = execFileSync(
        KEYTOOL,
        ["-list", "-keystore", file, "-storetype", "JKS", "-storepass", TRUSTSTORE_PASSWORD],
        { stdio: ["ignore", "pipe", "ignore"] },
      );
      expect(list.toString().match(/trustedCertEntry/gu)).toHaveLength(count);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
