import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { filesWith } from "../../helpers/find-text.ts";
import { lacks } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

/** A server of Node that greets with its token, and a command that is no server. */
const GREETER: DemoTool = {
  name: "greeter",
  versions: ["1.0.0"],
  files: (version) => ({
    "bin/greeter": { run: `#!/bin/sh\necho "greeter ${version}"\n` },
    "bin/greeterd": {
      run: `#!/usr/bin/env node\nconsole.log("up with " + process.env.GREETER_TOKEN);\nrequire("node:http").createServer((_, response) => response.end("hello\\n")).listen(18931, "127.0.0.1");\n`,
    },
  }),
  bin: "{ greeter: bin/greeter, greeterd: bin/greeterd }",
  tests:
    '[{ run: greeter }, { run: "curl -fsS http://127.0.0.1:18931/", during: start, expect: { stdout: "^hello$" } }]',
  more: 'requires: [{ tool: node }]\ninputs: [{ env: GREETER_TOKEN, secret: true }]\nstart: { run: greeterd, url: "http://127.0.0.1:18931/" }',
};

async function ipmWith(tool: DemoTool): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), [tool]));
}

function logOf(ipm: TestIpm): string {
  const folder = path.join(ipm.layout.logs, "greeter");
  return readFileSync(path.join(folder, readdirSync(folder).at(-1) ?? ""), "utf8");
}

describe.skipIf(lacks("curl"))("(curl) a tool that is a server", () => {
  test("is started for its test with what the user gave, and its transcript does not show it", async () => {
    const ipm = await ipmWith(GREETER);
    const set = { GREETER_TOKEN: "s3cret-4711" };
    const { plans } = await install(ipm.context, ["greeter"], { ...OPTIONS, set });
    expect(plans[0]?.what.start).toEqual({ run: "greeterd", url: "http://127.0.0.1:18931/" });
    expect(plans[0]?.what.tests.map(({ during }) => during)).toEqual([undefined, "start"]);
    expect(logOf(ipm)).toContain("up with [credential]");
    expect(filesWith(ipm.folder, "s3cret-4711")).toEqual(["ipm/data/inputs/greeter/values"]);
  });

  test("is not started by an installation whose tests do not ask for it", async () => {
    const ipm = await ipmWith({ ...GREETER, tests: "[{ run: greeter }]" });
    const { plans, notes } = await install(ipm.context, ["greeter"], { ...OPTIONS, set: { GREETER_TOKEN: "x" } });
    expect(plans[0]?.what.start).toBeUndefined();
    expect(notes[0]?.start).toEqual({ run: "greeterd", url: "http://127.0.0.1:18931/" });
    expect(logOf(ipm)).not.toContain("up with");
  });

  test("is not installed when it does not come up", async () => {
    const ipm = await ipmWith({
      ...GREETER,
      files: (version) => ({
        ...GREETER.files?.(version),
        "bin/greeterd": { run: "#!/bin/sh\necho 'no configuration' >&2\nexit 2\n" },
      }),
    });
    await expect(install(ipm.context, ["greeter"], { ...OPTIONS, set: { GREETER_TOKEN: "x" } })).rejects.toMatchObject({
      code: "TEST_FAILED",
      data: { lastLines: ["no configuration"] },
    });
    expect(readdirSync(ipm.layout.store)).toEqual([]);
  });

  test("is verified in a clean room", { timeout: 60_000 }, async () => {
    const ipm = await ipmWith(GREETER);
    const report = await verify(ipm.context, ["greeter"], VERIFY_OPTIONS);
    expect(report.methods[0]).toMatchObject({ outcome: "passed" });
  });
});
