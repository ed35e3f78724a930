import { expect, test } from "vitest";
import { isToolName } from "../../../src/core/ids.ts";

test.each(["con", "prn", "aux", "nul", "com0", "com9", "lpt1", "con.x", "nul.tar.gz", "com1.x"])(
  "%s is a device on Windows, and no tool's name",
  (name) => {
    expect(isToolName(name)).toBe(false);
  },
);

test.each(["conf", "comx", "com", "com10", "lpt", "console", "nul-x", "x.con", "demo", "main"])(
  "%s is a name",
  (name) => {
    expect(isToolName(name)).toBe(true);
  },
);
