import { expect, test } from "vitest";
import { cmakeRecipe } from "../../../src/recipes/cmake.ts";
import type { RecipeOutput } from "../../../src/recipes/recipe.ts";
import { viewOfFiles } from "../../helpers/recipe-repository.ts";

function expandCmake(lists: string, options: Readonly<Record<string, unknown>> = {}): RecipeOutput {
  return cmakeRecipe.expand({ ...viewOfFiles({ "CMakeLists.txt": lists }), options, bins: ["rc"], version: "1" });
}

function configureOf(output: RecipeOutput): string {
  const [first] = output.steps;
  return first?.kind === "run" && typeof first.run === "string" ? first.run : "";
}

const INSTALLS =
  "cmake_minimum_required(VERSION 3.20)\nproject(rc LANGUAGES C)\nadd_executable(rc rc.c)\ninstall(TARGETS rc)\n";

test("configures out of the source, for release, with run paths into the prefix", () => {
  const output = expandCmake(INSTALLS);
  const configure = configureOf(output);
  for (const word of [
    "-DCMAKE_BUILD_TYPE=Release",
    '-DCMAKE_INSTALL_PREFIX="$IPM_PREFIX"',
    '-DCMAKE_INSTALL_RPATH="$IPM_PREFIX"/lib',
    "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DBUILD_TESTING=OFF",
    "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
  ]) {
    expect(configure).toContain(word);
  }
  expect(output.steps.map(({ title }) => title)).toEqual(["cmake configure", "cmake build", "cmake install"]);
  expect(output.requires.map((one) => ("tool" in one ? `${one.tool} ${one.version} ${one.optional}` : ""))).toEqual([
    "cmake >=3.20 false",
    "make null false",
    "ninja null true",
    "cc null false",
  ]);
});

test("switches of developers are off, those of users stay", () => {
  const configure = configureOf(
    expandCmake(
      `${INSTALLS}option(RC_BUILD_TESTS "t" ON)\noption(ENABLE_BENCHMARKS "b" ON)\noption(WITH_LATEST "l" ON) # option(RC_FUZZ "no" ON)\n`,
    ),
  );
  expect(configure).toContain("-DRC_BUILD_TESTS=OFF");
  expect(configure).toContain("-DENABLE_BENCHMARKS=OFF");
  expect(configure).not.toContain("WITH_LATEST");
  expect(configure).not.toContain("RC_FUZZ");
});

test("a project for a CMake before 3.5 builds with CMake 4; languages not named are C and C++", () => {
  const output = expandCmake("cmake_minimum_required(VERSION 2.8.12)\nproject(rc)\nadd_executable(rc rc.c)\n");
  expect(configureOf(output)).toContain("-DCMAKE_POLICY_VERSION_MINIMUM=3.5");
  expect(output.requires.map((one) => ("tool" in one ? one.tool : ""))).toEqual([
    "cmake",
    "make",
    "ninja",
    "cc",
    "c++",
  ]);
  expect(output.steps.map(({ title }) => title)).toEqual([
    "cmake configure",
    "cmake build",
    "copy the libraries",
    "copy rc to bin",
  ]);
});

test("options: definitions, components and downloads", () => {
  const output = expandCmake(INSTALLS, {
    define: { WITH_X: "OFF", BUILD_TESTING: "ON" },
    install: ["runtime"],
    downloads: "true",
  });
  expect(configureOf(output)).toContain("-DWITH_X=OFF");
  expect(configureOf(output)).toContain("-DBUILD_TESTING=ON");
  expect(configureOf(output)).not.toContain("DISCONNECTED");
  expect(output.steps.at(-1)).toMatchObject({ run: 'cmake --install "$TMPDIR/ipm-build" --component runtime' });
});

test("detects programs with an install rule, and packages that it asks for", () => {
  const view = viewOfFiles({
    "CMakeLists.txt": `${INSTALLS}add_executable(tests t.c)\npkg_check_modules(EV REQUIRED libevent>=2.1)\nfind_package(ZLIB REQUIRED)\n`,
  });
  const [found] = cmakeRecipe.detect({ ...view, name: "rc" });
  expect(found).toMatchObject({
    confidence: "likely",
    bins: { rc: null },
    evidence: ["CMakeLists.txt:2 project rc", "installs rc"],
    doubts: ["asks for ZLIB"],
  });
  expect(found?.requires).toContainEqual({
    "pkg-config": "libevent",
    version: ">=2.1",
    for: "build",
    optional: false,
    why: "asked for with pkg-config",
  });
});

test.each([
  [
    "a property of its target",
    `project(x)\nadd_executable(rc_exe rc.c)\nset_target_properties(rc_exe PROPERTIES\n  OUTPUT_NAME "rc")\ninstall(TARGETS rc_exe)\n`,
  ],
  ["the project's name", "project(rc)\nadd_executable(${PROJECT_NAME} rc.c)\ninstall(TARGETS ${PROJECT_NAME})\n"],
  ["a variable", "project(x)\nset(TOOL rc)\nadd_executable(${TOOL} rc.c)\ninstall(TARGETS ${TOOL})\n"],
])("a program whose file is named by %s", (_, lists) => {
  const [found] = cmakeRecipe.detect({ ...viewOfFiles({ "CMakeLists.txt": lists }), name: "other" });
  expect(found).toMatchObject({ confidence: "likely", bins: { rc: null } });
  expect(expandCmake(lists).steps.map(({ title }) => title)).toEqual([
    "cmake configure",
    "cmake build",
    "cmake install",
  ]);
});

test("without install rules only the program is built, not the tests beside it", () => {
  const lists =
    "project(RC)\nadd_executable(RC rc.c)\nset_target_properties(RC PROPERTIES OUTPUT_NAME rc)\nADD_EXECUTABLE(TESTS t.c)\n";
  const [found] = cmakeRecipe.detect({ ...viewOfFiles({ "CMakeLists.txt": lists }), name: "other" });
  expect(found?.bins).toEqual({ rc: null });
  const build = expandCmake(lists).steps[1];
  expect(build?.kind === "run" ? build.run : "").toMatch(/--target RC$/u);
});

test("the only program that is no test or example is the tool, whatever its name", () => {
  const lists = "project(y)\nadd_executable(tool a.c)\nadd_executable(unit_tests t.c)\nadd_executable(demo d.c)\n";
  const [found] = cmakeRecipe.detect({ ...viewOfFiles({ "CMakeLists.txt": lists }), name: "other" });
  expect(found?.bins).toEqual({ tool: null });
});
