import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

describe.skipIf(lacks("meson", "ninja", "cc"))("meson, from the checkout (meson, ninja, cc)", () => {
  test("a shared library of its own is found at run time, a program without install: true is copied", async () => {
    const { run, prefix } = await installRepository(
      {
        "meson.build": `project('talk', 'c', version: '1.0', meson_version: '>=0.50')
word = shared_library('word', 'lib.c', install: true)
executable('talk', 'main.c', link_with: word, install: true)
executable('aside', 'aside.c')
# A wrap that would be downloaded where that is allowed.
extra = dependency('no-such-package-of-ours', fallback: ['ours', 'dep'], required: false)
`,
        "subprojects/ours.wrap": "[wrap-git]\nurl = https://example.invalid/ours.git\nrevision = v1\n",
        "lib.c": 'const char *word(void) { return "from the library"; }\n',
        "main.c": "#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); return 0; }\n",
        "aside.c": '#include <stdio.h>\nint main(void) { puts("aside"); return 0; }\n',
      },
      "steps: [uses: meson]\nbin: [talk, aside]\n",
    );
    expect(run("talk")).toMatchObject({ stdout: "from the library\n", stderr: "" });
    expect(run("aside").stdout).toBe("aside\n");
    expect(existsSync(path.join(prefix, "lib/libword.so"))).toBe(true);
  });
});
