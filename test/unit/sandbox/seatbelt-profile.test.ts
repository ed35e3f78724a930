import { describe, expect, test } from "vitest";
import { seatbeltProfile } from "../../../src/sandbox/seatbelt-profile.ts";

const GRANTS = { writable: ["/Users/me/ipm/prefix"], readable: ["/Users/me/.nvm/versions/node/v20"], network: [] };

describe("seatbeltProfile", () => {
  const lines = seatbeltProfile(GRANTS, "/Users/me").trimEnd().split("\n");

  test("denies by default and ends with the network", () => {
    expect(lines.slice(0, 2)).toEqual(["(version 1)", "(deny default)"]);
    expect(lines.at(-1)).toBe("(deny network*)");
  });

  test("hides the home and then shows what is granted, because later rules win", () => {
    const hidden = lines.indexOf('(deny file-read* (subpath "/Users/me"))');
    expect(hidden).toBeGreaterThan(0);
    for (const folder of [...GRANTS.readable, ...GRANTS.writable]) {
      expect(lines.indexOf(`(allow file-read* (subpath "${folder}"))`)).toBeGreaterThan(hidden);
    }
  });

  test("writes are allowed where granted and to harmless devices only", () => {
    expect(lines.filter((line) => line.includes("file-write"))).toEqual([
      '(allow file-write* (subpath "/Users/me/ipm/prefix"))',
      '(allow file-write-data (literal "/dev/null"))',
      '(allow file-write-data (literal "/dev/zero"))',
      '(allow file-write-data (literal "/dev/tty"))',
    ]);
  });

  test("network means the proxy's port and nothing else", () => {
    const profile = seatbeltProfile(GRANTS, "/Users/me", 4567);
    expect(profile).toMatch(/\(deny network\*\)\n\(allow network-outbound \(remote ip "localhost:4567"\)\)\n$/u);
  });

  test("a path cannot end its string and add a rule", () => {
    const evil = '/a")) (allow default) ; \\';
    const profile = seatbeltProfile({ ...GRANTS, writable: [evil] }, undefined);
    expect(profile).toContain('(subpath "/a\\")) (allow default) ; \\\\")');
  });
});
