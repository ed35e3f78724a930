import { expect, test } from "vitest";
import { mesonRecipe } from "../../../src/recipes/meson.ts";
import { viewOfFiles } from "../../helpers/recipe-repository.ts";

const FILES = {
  "meson.build":
    "project('rc', 'c', 'cpp',\n  version: '1.4', license: 'MIT', meson_version: '>= 0.57.1')\nsubdir('src')\nev = dependency('libevent', version: '>=2.0')\n",
  "src/meson.build":
    "executable('rc', files('a.c'), install: true) # executable('no', 'b.c', install: true)\nexecutable('t', 't.c')\n",
};

test("sets up out of the source, for release, without downloads", () => {
  const output = mesonRecipe.expand({
    ...viewOfFiles(FILES),
    options: { define: { docs: "disabled" } },
    bins: ["rc"],
    version: "1",
  });
  expect(output.steps.map((step) => (step.kind === "run" ? step.run : ""))).toEqual([
    'rm -rf "$TMPDIR/ipm-build"\nmeson setup --prefix="$IPM_PREFIX" --libdir=lib --buildtype=release --wrap-mode=nodownload -Ddocs=disabled "$TMPDIR/ipm-build" .',
    'meson compile -C "$TMPDIR/ipm-build" -j "$IPM_JOBS"',
    'meson install -C "$TMPDIR/ipm-build" --no-rebuild',
  ]);
  expect(output.requires.map((one) => ("tool" in one ? `${one.tool}${one.version ?? ""}` : ""))).toEqual([
    "meson>=0.57.1",
    "ninja",
    "cc",
    "c++",
    "pkg-config",
  ]);
});

test("detects programs that are installed, dependencies and what is to be doubted", () => {
  const view = viewOfFiles({ ...FILES, "subprojects/x.wrap": "" });
  const [found] = mesonRecipe.detect({ ...view, name: "rc" });
  expect(found).toMatchObject({
    confidence: "likely",
    bins: { rc: null },
    evidence: ["meson.build:1 project rc", "installs rc"],
    about: { version: "1.4", license: "MIT" },
    doubts: [expect.stringContaining("wrap files")],
  });
  expect(found?.requires).toContainEqual(
    expect.objectContaining({ "pkg-config": "libevent", version: ">=2.0", optional: false }),
  );
  expect(() => mesonRecipe.expand({ ...viewOfFiles({}), options: {}, bins: [], version: "1" })).toThrow(
    "no meson.build",
  );
});
