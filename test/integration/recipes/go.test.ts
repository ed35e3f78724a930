import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks, reaches, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

const env = toolchainEnvironment();
const PRINT = 'import "syscall"\n\nfunc say(text string) { syscall.Write(1, []byte(text+"\\n")) }\n';

describe.skipIf(lacks("go"))("go, from the checkout (needs go)", () => {
  test("a program of cmd with its vendor folder, the version in a variable, and a generator beside", async () => {
    const { run, prefix } = await installRepository(
      {
        "go.mod": "module example.org/suite/v2\n\ngo 1.18\n\nrequire example.org/dep v1.0.0\n",
        "go.sum": "example.org/dep v1.0.0 h1:0000000000000000000000000000000000000000000=\n",
        "vendor/modules.txt": "# example.org/dep v1.0.0\n## explicit; go 1.18\nexample.org/dep\n",
        "vendor/example.org/dep/dep.go": 'package dep\n\nconst Name = "vendored"\n',
        "cmd/sample/version.go": "package main\n\nvar version string\n",
        "cmd/sample/start.go": `package main\n\nimport "example.org/dep"\n\n${PRINT}\nfunc main() { say(dep.Name + " " + version) }\n`,
        "internal/generate/main.go": "package main\n\nfunc main() {}\n",
      },
      "steps: [uses: go]\nbin: [sample]\n",
      { env },
    );
    expect(run("sample").stdout).toBe("vendored 1.2.3\n");
    expect(existsSync(path.join(prefix, "bin/generate"))).toBe(false);
  }, 180_000);

  test.skipIf(!reaches("go"))(
    "network: a stale vendor folder is left aside; the module cache is gone afterwards",
    async () => {
      const { run, layout, context } = await installRepository(
        {
          "go.mod": "module example.org/sample\n\ngo 1.18\n\nrequire rsc.io/sampler v1.3.0\n",
          "vendor/modules.txt": "# rsc.io/sampler v1.2.0\n## explicit\nrsc.io/sampler\n",
          "vendor/rsc.io/sampler/old.go": "package sampler\n",
          "main.go": 'package main\n\nimport "rsc.io/sampler"\n\nfunc main() { print(sampler.Hello()) }\n',
        },
        "steps: [uses: go]\nbin: [sample]\n",
        { env },
      );
      expect(run("sample").stderr).toContain("world");
      const [entry = ""] = await context.host.files.list(path.join(layout.store, "sample"));
      expect(await context.host.files.list(path.join(layout.store, "sample", entry))).not.toContain("home");
    },
    240_000,
  );
});
