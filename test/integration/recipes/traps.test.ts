import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { lacks, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";
import { OPTIONS } from "../../helpers/test-ipm.ts";
import { install } from "../../../src/usecases/install.ts";

/*
 * What builds of real repositories stumbled over. The others have their test beside the recipe that owns them:
 *
 * | trap | test |
 * |---|---|
 * | PREFIX exported to npm | make.test.ts: PREFIX reaches make and no program that the Makefile calls |
 * | hooks of a prepare script | npm.test.ts: git hooks are not set up |
 * | engine-strict | npm.test.ts: a Node that is too old is told before anything runs |
 * | commands that look at argv[0] | npm.test.ts: two commands of one file |
 * | an example called cargo | cargo.test.ts: gets another name on PATH |
 * | environments that cannot be moved, PEP 668 | python.test.ts: in its final place |
 * | the version from git's tags | python.test.ts, make.test.ts |
 * | run paths of own shared libraries | make.test.ts, cmake.test.ts, meson.test.ts, autotools.test.ts |
 * | downloads at configure time | cmake.test.ts: tests that would be downloaded are off |
 * | prefix in lower case, targets that print help, fixed system folders, no install target | make.test.ts |
 * | mirrors and certificates in the user's HOME | sandbox/network.test.ts |
 */

const env = toolchainEnvironment();

describe.skipIf(lacks("go"))("Go (needs go)", () => {
  const MODULE = {
    "go.mod":
      "module example.org/sample\n\ngo 1.18\n\nrequire example.org/words v1.1.0\n\nreplace example.org/words => ./words\n",
    "main.go":
      'package main\n\nimport (\n\t"syscall"\n\n\t"example.org/words"\n)\n\nfunc main() {\n\tsyscall.Write(1, []byte(words.Hello+"\\n"))\n}\n',
    "words/go.mod": "module example.org/words\n\ngo 1.18\n",
    "words/words.go": 'package words\n\nconst Hello = "hello"\n',
  };

  test("a vendor folder that go.mod has left behind", async () => {
    const stale = {
      "vendor/modules.txt": "# example.org/words v1.0.0 => ./words\n## explicit\nexample.org/words\n",
      "vendor/example.org/words/words.go": 'package words\n\nconst Hello = "stale"\n',
    };
    const { run, events } = await installRepository({ ...MODULE, ...stale }, "steps: [uses: go]\nbin: [sample]\n", {
      env,
    });
    expect(run("sample").stdout).toBe("hello\n");
    expect(JSON.stringify(events)).toContain("the vendor folder does not match go.mod");
  }, 120_000);
});

test("a module cache without write permission is removed with the build, and with the tool's cache", async () => {
  const steps = [
    'mkdir -p "$HOME/go/pkg/mod/example.org/x@v1.0.0" "$GOMODCACHE/example.org/x@v1.0.0"',
    'for place in "$HOME/go/pkg/mod" "$GOMODCACHE"; do echo x > "$place/example.org/x@v1.0.0/x.go"; chmod -R a-w "$place"; done',
    'mkdir "$IPM_PREFIX/bin"; cp sample "$IPM_PREFIX/bin/"',
  ];
  const ipm = await installRepository(
    { sample: { run: "#!/bin/sh\necho sample\n" } },
    `requires: [{ tool: go }]\nsteps: [{ run: ${JSON.stringify(steps.join("; "))} }]\nbin: [sample]\n`,
    { programs: { go: "#!/bin/sh\necho go version go1.26.0 linux/amd64\n" } },
  );
  expect(readdirSync(path.dirname(ipm.prefix)).toSorted()).toEqual([
    "files.json",
    "launchers",
    "prefix",
    "receipt.json",
  ]);
  await uninstall(ipm.context, ["sample"], { purge: true });
  expect(existsSync(ipm.prefix)).toBe(false);
  expect(readdirSync(path.join(ipm.context.host.homes.cache, "builds"))).toEqual([]);
});

test("a build that rewrites files of the checkout, and leaves others, is no fault", async () => {
  const { run, prefix } = await installRepository(
    { "version.txt": "none\n", sample: { run: '#!/bin/sh\ncat "${0%/*}/../version.txt"\n' } },
    `steps: [{ run: 'git describe --tags > version.txt; mkdir -p dist "$IPM_PREFIX/bin"; touch dist/left; cp version.txt "$IPM_PREFIX/"; cp sample "$IPM_PREFIX/bin/"' }]\nbin: { sample: { run: [bin/sample] } }\n`,
  );
  expect(run("sample").stdout).toBe("v1.2.3\n");
  expect(readdirSync(prefix).toSorted()).toEqual(["bin", "version.txt"]);
});

test("a program that waits for standard input gets its end; one that answers with a failure can be right", async () => {
  const ipm = await installRepository(
    { sample: { run: '#!/bin/sh\nread -r line || { echo "usage: sample TEXT" >&2; exit 64; }\n' } },
    'steps: [uses: copy]\nbin: { sample: sample }\ntests: [{ run: sample, expect: { exit: 64, stderr: "^usage" } }]\n',
  );
  expect((await install(ipm.context, ["sample"], OPTIONS)).unchanged).toHaveLength(1);
});
