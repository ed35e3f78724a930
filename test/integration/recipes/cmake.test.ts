import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

const LIBRARY = 'const char *word(void) { return "from the library"; }\n';
const MAIN = "#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); return 0; }\n";

describe.skipIf(lacks("cmake", "make", "cc", "c++"))("cmake, from the checkout (cmake, make, cc, c++)", () => {
  test("an installed program finds its own shared library; tests that would be downloaded are off", async () => {
    const { run, prefix } = await installRepository(
      {
        "lib.c": LIBRARY,
        "main.c": MAIN,
        // The folder that people build in is one of the repository's own.
        "build/README": "not a build folder\n",
        "CMakeLists.txt": `cmake_minimum_required(VERSION 3.13)
project(talk VERSION 1.0 LANGUAGES C)
include(GNUInstallDirs)
option(TALK_BUILD_TESTS "tests" ON)
include(CTest)
if(BUILD_TESTING OR TALK_BUILD_TESTS)
  include(FetchContent)
  FetchContent_Declare(test GIT_REPOSITORY https://example.invalid/test.git GIT_TAG v1)
  FetchContent_MakeAvailable(test)
endif()
add_library(word SHARED lib.c)
add_executable(talk main.c)
target_link_libraries(talk word)
install(TARGETS talk word RUNTIME DESTINATION \${CMAKE_INSTALL_BINDIR} LIBRARY DESTINATION \${CMAKE_INSTALL_LIBDIR})
`,
      },
      "steps: [uses: cmake]\nbin: [talk]\n",
    );
    expect(run("talk")).toMatchObject({ stdout: "from the library\n", stderr: "" });
    expect(readdirSync(path.join(prefix, "lib"))).toContain("libword.so");
  });

  test("a program without an install rule, with its library, out of the build folder", async () => {
    const { run, prefix } = await installRepository(
      {
        "src/lib.c": LIBRARY,
        "src/main.c": MAIN,
        "CMakeLists.txt": `cmake_minimum_required(VERSION 2.8)
project(talk C)
file(GLOB_RECURSE ALL_SOURCES *.c)
list(LENGTH ALL_SOURCES COUNT)
if(NOT COUNT EQUAL 2)
  message(FATAL_ERROR "sources of the build folder are among them: \${ALL_SOURCES}")
endif()
add_library(word SHARED src/lib.c)
add_executable(talk src/main.c)
target_link_libraries(talk word)
set_target_properties(talk PROPERTIES RUNTIME_OUTPUT_DIRECTORY \${CMAKE_BINARY_DIR}/out)
`,
      },
      "steps: [{ uses: cmake, with: { define: { WITH_EXTRAS: OFF } } }]\nbin: [talk]\n",
    );
    expect(run("talk")).toMatchObject({ stdout: "from the library\n", stderr: "" });
    expect(existsSync(path.join(prefix, "lib/libword.so"))).toBe(true);
  });
});
