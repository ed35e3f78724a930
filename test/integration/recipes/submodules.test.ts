import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { lacks } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, createTestIpm } from "../../helpers/test-ipm.ts";

test.skipIf(lacks("cc", "make"))(
  "a repository like jq: configure, and a library in modules/ that is a submodule of another repository",
  async () => {
    const folder = temporaryFolder();
    const library = new GitRepository(path.join(folder, "srv/regex.git"));
    const at = library.commit({ "regex.h": 'static const char *word(void) { return "matched"; }\n' });
    const repository = new GitRepository(path.join(folder, "srv/finder.git"));
    repository.commit({
      ".gitmodules":
        '[submodule "regex"]\n\tpath = modules/regex\n\turl = ../regex.git\n[submodule "docs"]\n\tpath = docs/theme\n\turl = ../theme.git\n',
      configure: {
        run:
          '#!/bin/sh\nset -e\n[ -f modules/regex/regex.h ] || { echo "modules/regex is empty: git submodule update --init" >&2; exit 1; }\n' +
          'for arg; do case $arg in --prefix=*) prefix=${arg#--prefix=};; esac; done\nsed "s|@prefix@|$prefix|" Makefile.in > Makefile\n',
      },
      "configure.ac": "AC_INIT([finder], [1.0])\n",
      "Makefile.in":
        "prefix = @prefix@\nall: finder\nfinder: finder.c\n\tcc -Imodules/regex -o $@ $<\ninstall: all\n\tmkdir -p $(prefix)/bin\n\tcp finder $(prefix)/bin/\n",
      "finder.c": '#include <stdio.h>\n#include "regex.h"\nint main(void) { puts(word()); return 0; }\n',
    });
    for (const place of ["modules/regex", "docs/theme"])
      repository.git("update-index", "--add", "--cacheinfo", `160000,${at},${place}`);
    repository.git("commit", "-q", "--amend", "--no-edit");
    repository.tag("v1.0");
    const registry = path.join(folder, "registry");
    mkdirSync(path.join(registry, "packages/finder"), { recursive: true });
    writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
    const write = (source: string): void =>
      writeFileSync(
        path.join(registry, "packages/finder/manifest.yaml"),
        `schema: ipm/v1
name: finder
summary: Finds what a library of another repository matches
license: MIT
source: { git: https://git.example.org/finder.git${source} }
versions:
  - { version: "1.0", ref: refs/tags/v1.0, commit: ${repository.commitOf("HEAD")}, tree: ${repository.treeOf("HEAD")} }
steps: [uses: autotools]
bin: [finder]
tests: [{ run: finder, expect: { stdout: "^matched$" } }]
`,
      );
    write("");
    const machine = path.join(folder, "machine");
    mkdirSync(path.join(machine, "home"), { recursive: true });
    const settings = `[url "file://${folder}/srv/"]\n\tinsteadOf = https://git.example.org/\n`;
    writeFileSync(path.join(machine, "home/.gitconfig"), settings);
    const ipm = await createTestIpm(machine, registry);
    const without = await install(ipm.context, ["finder"], { ...OPTIONS, dryRun: true });
    expect(without.plans[0]?.notices).toContain(
      "submodules that the manifest does not list stay empty folders: docs/theme, modules/regex",
    );
    await expect(install(ipm.context, ["finder"], OPTIONS)).rejects.toMatchObject({ code: "STEP_FAILED" });
    write(", submodules: [modules/regex]");
    await ipm.setRegistry(registry);
    const { plans } = await install(ipm.context, ["finder"], OPTIONS);
    expect(plans[0]?.notices).toContain("submodules that the manifest does not list stay empty folders: docs/theme");
    expect(plans[0]?.what.source).toMatchObject({ submodules: ["modules/regex"] });
    expect(plans[0]?.digest).not.toBe(without.plans[0]?.digest);
    expect(execFileSync(path.join(ipm.layout.current, "bin/finder"), { encoding: "utf8" })).toBe("matched\n");
  },
);

test.skipIf(lacks("cc", "make"))(
  "a repository without a manifest gets the submodules that its build speaks of, and goes on where they cannot be had",
  async () => {
    const folder = temporaryFolder();
    const library = new GitRepository(path.join(folder, "srv/word.git"));
    const at = library.commit({ "word.h": 'static const char *word(void) { return "from the submodule"; }\n' });
    const repository = new GitRepository(path.join(folder, "srv/speaker.git"));
    repository.commit({
      ".gitmodules":
        '[submodule "word"]\n\tpath = vendor/word\n\turl = ../word.git\n[submodule "corpus"]\n\tpath = tests/corpus\n\turl = ../none.git\n',
      Makefile:
        "PREFIX ?= /usr/local\nspeaker: speaker.c\n\t$(CC) $(if $(wildcard vendor/word/word.h),-DWORD -Ivendor/word) -o $@ $<\ninstall: speaker\n\tmkdir -p $(DESTDIR)$(PREFIX)/bin\n\tcp speaker $(DESTDIR)$(PREFIX)/bin/\n",
      "speaker.c":
        '#include <stdio.h>\n#ifdef WORD\n#include "word.h"\n#else\n#define word() "alone"\n#endif\nint main(void) { puts(word()); return 0; }\n',
    });
    for (const place of ["vendor/word", "tests/corpus"])
      repository.git("update-index", "--add", "--cacheinfo", `160000,${at},${place}`);
    repository.git("commit", "-q", "--amend", "--no-edit");
    const speak = async (name: string): Promise<{ said: string; warned: string[] }> => {
      const machine = path.join(folder, name);
      mkdirSync(path.join(machine, "home"), { recursive: true });
      const settings = `[url "file://${folder}/srv/"]\n\tinsteadOf = https://git.example.org/\n`;
      writeFileSync(path.join(machine, "home/.gitconfig"), settings);
      const ipm = await createTestIpm(machine, path.resolve(import.meta.dirname, "../../../registry"));
      const options = { ...OPTIONS, allowUnverified: true };
      const { plans } = await install(ipm.context, ["https://git.example.org/speaker.git"], options);
      expect(plans[0]?.notices.join("\n")).toContain("tests/corpus");
      const said = execFileSync(path.join(ipm.layout.current, "bin/speaker"), { encoding: "utf8" }).trim();
      return { said, warned: ipm.events.flatMap((event) => (event.type === "warning" ? [event.message] : [])) };
    };
    expect(await speak("one")).toEqual({ said: "from the submodule", warned: [] });
    rmSync(library.folder, { recursive: true });
    const without = await speak("two");
    expect(without.said).toBe("alone");
    expect(without.warned).toEqual([expect.stringContaining("its submodules cannot be had: ")]);
  },
);
