import { describe, expect, test } from "vitest";
import { findDestinations } from "../../../src/recipes/make.ts";
import { makeRecipe } from "../../../src/recipes/make.ts";
import { readMakefile } from "../../../src/recipes/makefile.ts";
import type { RecipeOutput } from "../../../src/recipes/recipe.ts";
import { viewOfFiles } from "../../helpers/recipe-repository.ts";

function destinations(text: string): ReturnType<typeof findDestinations> {
  return findDestinations(readMakefile([{ path: "Makefile", text }]), "install");
}

function expandMake(
  files: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
  bins = ["rc"],
): RecipeOutput {
  return makeRecipe.expand({ ...viewOfFiles(files), options, bins, version: "1" });
}

function commands(output: RecipeOutput): readonly unknown[] {
  return output.steps.map((step) => (step.kind === "run" ? step.run : step.title));
}

describe("where an install target is told to go", () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ["PREFIX", "PREFIX ?= /usr/local\ninstall:\n\tcp rc $(PREFIX)/bin\n", { PREFIX: "{prefix}" }],
    ["a lower-case prefix", "prefix=/usr\nbindir=$(prefix)/bin\ninstall:\n\tcp rc ${bindir}\n", { prefix: "{prefix}" }],
    ["a prefix that nothing assigns", "install:\n\tcp rc $(DESTDIR)$(PREFIX)/bin\n", { PREFIX: "{prefix}" }],
    [
      "both, one by way of the other",
      "prefix ?= /usr/local\nPREFIX ?= $(prefix)\ninstall:\n\tcp rc $(PREFIX)/bin\n",
      { PREFIX: "{prefix}", prefix: "{prefix}" },
    ],
    ["the home folder", "BIN = $(HOME)/bin\ninstall:\n\tcp rc $(BIN)\n", { BIN: "{prefix}/bin" }],
    [
      "folders that do not follow the prefix",
      "PREFIX=/usr/local\nMAN=/usr/share/man/man1\nETC := /etc/rc\ninstall:\n\tcp rc.1 $(MAN)\n\tcp c $(ETC)\n\tcp rc $(PREFIX)/bin\n",
      { PREFIX: "{prefix}", MAN: "{prefix}/share/man/man1", ETC: "{prefix}/etc/rc" },
    ],
    [
      "no program that it calls",
      "PREFIX=/usr\nINSTALL=/usr/bin/install\nSHELL=/bin/sh\ninstall:\n\t$(INSTALL) rc $(PREFIX)/bin\n",
      { PREFIX: "{prefix}" },
    ],
    ["a default of DESTDIR", "DESTDIR ?= /usr/local\ninstall:\n\tcp rc $(DESTDIR)/bin\n", { DESTDIR: "{prefix}" }],
    [
      "rules by way of others",
      "install: install-bin\ninstall-bin:\n\tcp rc $(BINDIR)\nBINDIR=/opt/rc/bin\n",
      { BINDIR: "{prefix}/bin" },
    ],
    [
      "a Makefile below, which alone knows the name",
      "install:\n\t$(MAKE) -C src install\n",
      { PREFIX: "{prefix}", prefix: "{prefix}" },
    ],
  ])("%s", (_, text, variables) => {
    expect(destinations(text)).toMatchObject({ variables, usable: true, staged: false });
  });

  test("fixed folders below DESTDIR are staged, fixed folders alone cannot be used", () => {
    expect(destinations("install:\n\tcp rc $(DESTDIR)/usr/bin\n")).toMatchObject({ usable: true, staged: true });
    expect(destinations("install:\n\tcp rc /usr/bin\n")).toMatchObject({ usable: false });
  });
});

describe("the steps of make", () => {
  const MAKEFILE = "PREFIX = /usr\nall: rc\nrc: rc.c\n\tcc -o rc rc.c\ninstall: rc\n\tcp rc $(PREFIX)/bin\n";

  test("builds with several jobs and installs with one, the prefix on both command lines and in no environment", () => {
    const output = expandMake({ Makefile: MAKEFILE, "rc.c": "" });
    expect(commands(output)).toEqual([
      'make -j"$IPM_JOBS" all PREFIX="$IPM_PREFIX"',
      'make install PREFIX="$IPM_PREFIX"',
    ]);
    for (const step of output.steps) expect(step.kind === "run" && Object.keys(step.env)).not.toContain("PREFIX");
    expect(output.requires).toMatchObject([{ tool: "make" }, { tool: "cc", for: "build" }]);
  });

  test("a Makefile that calls npm keeps PREFIX from it", () => {
    expect(commands(expandMake({ Makefile: `${MAKEFILE}web:\n\tnpm ci\n` }))[0]).toContain("--eval=unexport PREFIX");
  });

  test("options: targets, variables, one job, and what is copied", () => {
    const output = expandMake(
      { Makefile: MAKEFILE },
      { targets: ["rc"], variables: { CC: "my cc", PREFIX: "{prefix}/x" }, parallel: "false" },
    );
    expect(commands(output)[0]).toBe(`make rc PREFIX="$IPM_PREFIX"/x CC='my cc'`.replace("CC='my cc'", "'CC=my cc'"));
    const copied = expandMake({ Makefile: MAKEFILE }, { copy: { rc: "out/it's" } });
    expect(commands(copied).at(-1)).toContain(String.raw`install -m 755 -- 'out/it'\''s' "$IPM_PREFIX"/bin/rc`);
  });

  test("a plain target that prints help is not built, a pkg-config call is a requirement", () => {
    const output = expandMake({
      Makefile: "help:\n\t@echo hi\ninstall:\n\tcp rc $(PREFIX)/bin\nLIBS=`pkg-config --libs ncurses`\n",
    });
    expect(commands(output)).toEqual(['make install PREFIX="$IPM_PREFIX"']);
    expect(output.requires).toMatchObject([{ tool: "make" }, { tool: "pkg-config" }]);
  });

  test("an option that it does not have, and a repository without a Makefile", () => {
    expect(() => expandMake({ Makefile: MAKEFILE }, { variables: "CC=cc" })).toThrow("option variables must be a map");
    expect(() => expandMake({ README: "" })).toThrow("no Makefile");
  });
});

test("detects the program, its requirements and what is to be doubted", () => {
  const view = viewOfFiles({
    Makefile: "BIN = rc\nPREFIX=/usr\nrc: rc.c\n\tcc -o rc rc.c -lncurses\ninstall:\n\tcp $(BIN) $(PREFIX)/bin\n",
    "rc.c": "",
  });
  const [found] = makeRecipe.detect({ ...view, name: "Other" });
  expect(found).toMatchObject({
    recipe: "make",
    confidence: "likely",
    bins: { rc: null },
    doubts: ["links with libncurses"],
  });
  const developer = viewOfFiles({ Makefile: "install:\n\tpip install -e .\n" });
  expect(makeRecipe.detect({ ...developer, name: "x" })[0]).toMatchObject({ confidence: "possible" });
  expect(makeRecipe.detect({ ...viewOfFiles({ README: "" }), name: "x" })).toEqual([]);
});

test.each([
  [
    "by a destination's name",
    "prefix = /usr\nbindir = $(prefix)/bin\nI = /usr/bin/install\nDEST = $(DESTDIR)$(bindir)/todo.sh\ninstall:\n\t$(I) -d $(bindir)\n\t$(I) dist/todo.sh $(DEST)\n\t$(I) -m 644 c $(prefix)/etc/c\n",
    ["todo.sh"],
  ],
  [
    "by a folder",
    "PREFIX=/usr\ninstall:\n\tinstall -m 755 out/a b $(DESTDIR)$(PREFIX)/bin/\n\tcp a.1 $(PREFIX)/share/man/man1\n",
    ["a", "b"],
  ],
  [
    "by a folder that a condition sets, with a tab before it",
    "prefix = /usr\nifdef D\n\tbindir = $(D)\nelse\n\tbindir = $(prefix)/bin\nendif\nI = /usr/bin/install\ninstall:\n\t$(I) dist/todo.sh $(DESTDIR)$(bindir)/todo.sh\n",
    ["todo.sh"],
  ],
  [
    "after what it says",
    'MSG = ./msg\nINSTALL = install\nPREFIX=/usr\nBINS = bin/a bin/tests/m\ninstall:\n\t${MSG} "[INST] bin/a" \\\n\t  ${INSTALL} -m755 bin/a ${PREFIX}/bin/a\n',
    ["a"],
  ],
])("programs that an install target names %s", (_, Makefile, bins) => {
  const [found] = makeRecipe.detect({ ...viewOfFiles({ Makefile }), name: "other" });
  expect(Object.keys(found?.bins ?? {})).toEqual(bins);
});

test.each([
  ["by the target of its rule", "all: out/a\nout/a: a.o\n\t$(CC) -o $@ a.o\na.o: a.c\n\t$(CC) -c -o a.o a.c\n", ["a"]],
  [
    "by make's own rule, not a library's object",
    "all: check ex1 ex2\ncheck: test\n\t./$^\ntest: test.o other.o\nex1: ex1.o other.o\nex2: ex2.o other.o\n",
    ["test", "ex1", "ex2"],
  ],
  ["several in one rule", ".PHONY: run\nrun: run.c\n\t$(CC) -o run run.c\n\t$(CC) -o runq runq.c\n", ["run", "runq"]],
])("programs that the plain target links %s", (_, Makefile, bins) => {
  const [found] = makeRecipe.detect({ ...viewOfFiles({ Makefile }), name: "other" });
  expect(Object.keys(found?.bins ?? {})).toEqual(bins);
});

test("scripts that a Makefile neither builds nor can install are left to the recipe that copies", () => {
  const files = { Makefile: "V = $(shell bin/rc -V)\ninstall:\n\t./install.py\n", "bin/rc": "" };
  const view = viewOfFiles(files);
  const executable = view.files.map((file) => ({ ...file, executable: file.path === "bin/rc" }));
  expect(makeRecipe.detect({ ...view, files: executable, name: "rc" })).toEqual([]);
});
