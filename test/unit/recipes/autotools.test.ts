import { expect, test } from "vitest";
import { autotoolsRecipe } from "../../../src/recipes/autotools.ts";
import type { RecipeOutput } from "../../../src/recipes/recipe.ts";
import { viewOfFiles } from "../../helpers/recipe-repository.ts";

function expandAutotools(
  files: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
): RecipeOutput {
  return autotoolsRecipe.expand({ ...viewOfFiles(files), options, bins: ["rc"], version: "1" });
}

const AC =
  "AC_PREREQ([2.65])\nAC_INIT([rc], [1.4])\nAM_INIT_AUTOMAKE\nAC_PROG_CC\nAC_PROG_YACC\nLT_INIT\nPKG_CHECK_MODULES([EV], [libevent >= 2.0])\ndnl AC_PROG_CXX\n";

test("without a configure script it is made, and what makes it is required", () => {
  const output = expandAutotools({ "configure.ac": AC, "parse.y": "", "scan.c": "", "Makefile.am": "" });
  expect(output.steps.map((step) => (step.kind === "run" ? step.run : ""))).toEqual([
    "autoreconf --force --install",
    './configure --prefix="$IPM_PREFIX"'.replace('--prefix="$IPM_PREFIX"', '--prefix="$IPM_PREFIX"'),
    'make -j"$IPM_JOBS"',
    "make install",
  ]);
  expect(output.requires.map((one) => ("tool" in one ? `${one.tool}${one.version ?? ""}` : ""))).toEqual([
    "make",
    "cc",
    "autoconf>=2.65",
    "automake",
    "libtoolize",
    "pkg-config",
    "bison",
  ]);
  expect(output.steps[1]).toMatchObject({ env: { LDFLAGS: "-Wl,-rpath,{prefix}/lib" } });
});

test("a parser whose C is in the repository needs no bison; a tracked configure needs no autoconf", () => {
  const output = expandAutotools({ "configure.ac": AC, configure: "#!/bin/sh\n", "parse.y": "", "parse.c": "" });
  expect(output.requires.map((one) => ("tool" in one ? one.tool : ""))).toEqual(["make", "cc", "pkg-config"]);
  expect(output.steps.map(({ title }) => title)).toEqual([
    "settle the times of generated files",
    "configure",
    "make",
    "make install",
  ]);
});

test("its own autogen.sh goes first, unless autoreconf is asked for", () => {
  const files = { "configure.ac": AC, "autogen.sh": "#!/bin/sh\n" };
  expect(expandAutotools(files).steps[0]).toMatchObject({
    title: "autogen.sh",
    run: "NOCONFIGURE=1 ./autogen.sh\n[ -f configure ] || autoreconf --force --install",
  });
  expect(expandAutotools(files, { generate: "autoreconf" }).steps[0]).toMatchObject({
    run: "autoreconf --force --install",
  });
});

test("flags and variables of configure are words of their own", () => {
  const output = expandAutotools(
    { configure: "" },
    { configure: ["--with-oniguruma=no", "--x=a b"], variables: { CFLAGS: "-O2 -g" } },
  );
  expect(output.steps[0]).toMatchObject({
    run: `sh ./configure --prefix="$IPM_PREFIX" --with-oniguruma=no '--x=a b' 'CFLAGS=-O2 -g'`,
  });
});

test("detects programs, packages and doubts", () => {
  const view = viewOfFiles({ "configure.ac": AC, "Makefile.am": "bin_PROGRAMS = rc \\\n  rcd\n", ".gitmodules": "" });
  expect(autotoolsRecipe.detect({ ...view, name: "x" })[0]).toMatchObject({
    confidence: "likely",
    bins: { rc: null, rcd: null },
    about: { name: "rc", version: "1.4" },
    doubts: [expect.stringContaining("submodules")],
  });
  expect(autotoolsRecipe.detect({ ...view, name: "x" })[0]?.requires).toContainEqual(
    expect.objectContaining({ "pkg-config": "libevent", version: ">=2.0" }),
  );
});

test("of programs that a condition decides about the one with the package's name is the tool", () => {
  const view = viewOfFiles({
    "configure.ac": AC,
    "Makefile.am": "if PCP\nbin_PROGRAMS = pcp-rc\nelse\nbin_PROGRAMS = rc\nendif\n",
  });
  expect(autotoolsRecipe.detect({ ...view, name: "x" })[0]?.bins).toEqual({ rc: null });
});

test("a configure written by hand may not know --prefix: make is told as well", () => {
  const output = expandAutotools({ configure: "#!/bin/sh\n" });
  expect(output.steps.at(-1)).toMatchObject({ run: 'make install PREFIX="$IPM_PREFIX" prefix="$IPM_PREFIX"' });
});
