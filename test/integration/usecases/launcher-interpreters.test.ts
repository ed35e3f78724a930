import path from "node:path";
import { describe, expect, test } from "vitest";
import { installRepository } from "../../helpers/recipe-repository.ts";

/** An interpreter outside of the system's folders, as nvm's node and pyenv's python are. */
const programs = { talk: '#!/bin/sh\n. "$(dirname "$0")/words"\nsay "$@"\n', words: 'say() { echo "talk: $1"; }\n' };

describe("the interpreter of a launcher that no requirement names", () => {
  test("is shown to the tests when a file's first line asks for it", async () => {
    const ipm = await installRepository(
      { "bin/sample": { run: "#!/usr/bin/env talk\n" } },
      'steps: [uses: copy]\nbin: [sample]\ntests: [{ run: sample, expect: { stdout: "^talk: .*sample$" } }]\n',
      { programs },
    );
    expect(ipm.run("sample").stdout).toMatch(/^talk: /u);
    const plans = ipm.events.filter(({ type }) => type === "plan.ready");
    expect(plans).toMatchObject([{ plan: { requirements: [] } }]);
  });

  test("is a requirement of the plan when a launcher's own command line begins with it", async () => {
    const manifest =
      'steps: [uses: copy]\nbin: { sample: { run: [talk, notes.txt] } }\ntests: [{ run: sample, expect: { stdout: "^talk: .*notes.txt$" } }]\n';
    const ipm = await installRepository({ "notes.txt": "notes\n" }, manifest, { programs });
    const real = path.join(ipm.folder, "../tools/bin/talk");
    expect(ipm.events.filter(({ type }) => type === "plan.ready")).toMatchObject([
      { plan: { requirements: [{ tool: "talk", for: "run", met: true, found: { real } }] } },
    ]);
    await expect(installRepository({ "notes.txt": "notes\n" }, manifest)).rejects.toThrow(
      "sample 1.2.3 needs talk (not found)",
    );
  });

  test("is not shown when a package writes its path: that could name any folder of the caller", async () => {
    const folder = await installRepository(
      { "bin/sample": { run: "#!/bin/sh\n" } },
      "steps: [uses: copy]\nbin: [sample]\ntests: [{ run: sample }]\n",
      { programs },
    );
    const real = path.join(folder.folder, "../tools/bin/talk");
    await expect(
      installRepository(
        { "bin/sample": { run: `#!${real}\n` } },
        "steps: [uses: copy]\nbin: [sample]\ntests: [{ run: sample }]\n",
      ),
    ).rejects.toThrow("test 1 failed");
  });
});
