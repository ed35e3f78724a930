import { describe, expect, test } from "vitest";
import { goRecipe } from "../../../src/recipes/go.ts";
import { commandsIn, detectIn, expandIn, runStepsIn } from "../../helpers/recipe-input.ts";

const MAIN = "package main\n\nfunc main() {}\n";
const SUM = "example.org/dep v1.0.0 h1:x=\nexample.org/dep v1.0.0/go.mod h1:y=\n";
const MOD = "module example.org/tool\n\ngo 1.24.1\n\nrequire (\n\texample.org/dep v1.0.0 // indirect\n)\n";
const ROOT = { "go.mod": MOD, "go.sum": SUM, "main.go": MAIN };
const VENDORED = "# example.org/dep v1.0.0\n## explicit; go 1.20\nexample.org/dep\n";

function command(...args: Parameters<typeof expandIn> extends [unknown, ...infer Rest] ? Rest : never): string {
  return commandsIn(expandIn(goRecipe, ...args))[0] ?? "";
}

describe("the go recipe", () => {
  test("installs the root package into the prefix, with its sums", () => {
    const output = expandIn(goRecipe, ROOT);
    expect(commandsIn(output)).toEqual(["go install -mod=readonly -trimpath -ldflags=-s -w ."]);
    expect(runStepsIn(output)[0]).toMatchObject({
      env: { GOBIN: "{prefix}/bin", GOFLAGS: "-modcacherw", GOTOOLCHAIN: "local", CGO_ENABLED: "0" },
      network: ["go"],
    });
    expect(output.requires).toMatchObject([{ tool: "go", version: ">=1.24.1", for: "build" }]);
    expect(output.bins).toEqual({ tool: "bin/tool" });
  });

  test("a module without requirements needs no network", () => {
    const output = expandIn(goRecipe, { "go.mod": "module example.org/tool\ngo 1.19\n", "main.go": MAIN });
    expect(runStepsIn(output)[0]?.network).toEqual([]);
  });

  test("a module that is replaced by a folder of the checkout needs no network", () => {
    const mod = "module example.org/tool\nrequire example.org/dep v0.0.0\nreplace example.org/dep => ./dep\n";
    const output = expandIn(goRecipe, { "go.mod": mod, "main.go": MAIN, "dep/dep.go": "package dep\n" });
    expect(commandsIn(output)[0]).toContain("-mod=readonly");
    expect(runStepsIn(output)[0]?.network).toEqual([]);
  });

  test("finds cmd/NAME by the launcher, and several of them", () => {
    const repository = { ...ROOT, "main.go": "package tool\n", "cmd/tool/a.go": MAIN, "cmd/other/main.go": MAIN };
    expect(command(repository)).toMatch(/ \.\/cmd\/tool$/u);
    expect(command(repository, { bins: ["tool", "other"] })).toMatch(/ \.\/cmd\/tool \.\/cmd\/other$/u);
  });

  test("a launcher of another name takes the only program", () => {
    const output = expandIn(goRecipe, { ...ROOT, "go.mod": MOD.replace("/tool", "/tool-cli") });
    expect(output.bins).toEqual({ tool: "bin/tool-cli" });
  });

  test("a major version is no part of the program's name", () => {
    const output = expandIn(goRecipe, { ...ROOT, "go.mod": MOD.replace("/tool", "/tool/v2") });
    expect(output.bins).toEqual({ tool: "bin/tool" });
  });

  test("generators and files that are not built are no programs", () => {
    const repository = {
      ...ROOT,
      "main.go": `//go:build ignore\n\n${MAIN}`,
      "_tools/gen.go": MAIN,
      "internal/gen/main.go": MAIN,
      "cmd/tool/main.go": MAIN,
    };
    expect(command(repository)).toMatch(/ \.\/cmd\/tool$/u);
  });

  test("what cannot be decided is listed", () => {
    const repository = { ...ROOT, "main.go": "package tool\n", "cmd/a/main.go": MAIN, "cmd/b/main.go": MAIN };
    expect(() => expandIn(goRecipe, repository)).toThrow("there is ./cmd/a, ./cmd/b");
    expect(command(repository, { options: { package: "./cmd/b" } })).toMatch(/ \.\/cmd\/b$/u);
    expect(expandIn(goRecipe, repository, { options: { package: "./cmd/b" } }).bins).toEqual({ tool: "bin/b" });
    expect(() => expandIn(goRecipe, repository, { options: { package: "../x" } })).toThrow("no folder");
  });

  test("before go 1.14 nothing is marked explicit: only other versions make a vendor folder stale (hey)", () => {
    const old = { ...ROOT, "go.mod": MOD.replace("1.24.1", "1.13") };
    const modules = (version: string): string => `# example.org/dep ${version}\nexample.org/dep\n`;
    expect(command({ ...old, "vendor/modules.txt": modules("v1.0.0") })).toContain("-mod=vendor");
    expect(command({ ...old, "vendor/modules.txt": modules("v0.9.0") })).toContain("-mod=readonly");
  });

  test("a commit without a version leaves the default of the source alone (fzf)", () => {
    const repository = { ...ROOT, "main.go": 'package main\n\nvar version = "0.74"\n\nfunc main() {}\n' };
    expect(command(repository, { version: "0.75.0" })).toContain("-X main.version=0.75.0");
    expect(command(repository, { version: "0.0.0-0123456789ab" })).not.toContain("-X");
  });

  test("a vendor folder that agrees with go.mod is used, without network", () => {
    const output = expandIn(goRecipe, { ...ROOT, "vendor/modules.txt": VENDORED });
    expect(commandsIn(output)[0]).toContain("-mod=vendor");
    expect(runStepsIn(output)[0]?.network).toEqual([]);
  });

  test.each([
    ["another version", VENDORED.replace("v1.0.0", "v0.9.0")],
    ["a missing module", "# example.org/else v1.0.0\n"],
    ["one too many", `${VENDORED}# example.org/more v1.0.0\n## explicit\n`],
  ])("a stale vendor folder (%s) is left aside, and told (hey)", (_name, modules) => {
    const output = expandIn(goRecipe, { ...ROOT, "vendor/modules.txt": modules });
    expect(commandsIn(output)[0]).toContain("-mod=readonly");
    expect(runStepsIn(output)[0]?.network).toEqual(["go"]);
    expect(output.notices[0]).toContain("vendor folder does not match");
  });

  test("sums that are missing are completed, and told", () => {
    const output = expandIn(goRecipe, { ...ROOT, "go.sum": "" });
    expect(commandsIn(output)[0]).toContain("-mod=mod");
    expect(output.notices[0]).toContain("go.sum");
  });

  test("a variable for the version is set; the manifest can name another, and add flags", () => {
    const repository = { ...ROOT, "main.go": 'package main\n\nvar (\n\tversion = "dev"\n)\n\nfunc main() {}\n' };
    expect(command(repository, { version: "2.0" })).toContain("-ldflags=-s -w -X main.version=2.0 .");
    expect(command(ROOT, { options: { "version-variable": ["example.org/tool/info.Version"] } })).toContain(
      "-X example.org/tool/info.Version=1.2.3",
    );
    expect(command(repository, { options: { ldflags: "-X main.revision=abc" } })).toContain(
      "-ldflags=-s -w -X main.revision=abc .",
    );
  });

  test("cgo only where C is there, or the manifest says so; then a compiler is required", () => {
    const withC = { ...ROOT, "main.go": 'package main\n\nimport "C"\n\nfunc main() {}\n' };
    expect(runStepsIn(expandIn(goRecipe, withC))[0]?.env["CGO_ENABLED"]).toBe("1");
    expect(expandIn(goRecipe, withC).requires).toMatchObject([{ tool: "go" }, { tool: "cc" }]);
    const wrapper = { ...ROOT, "go.mod": MOD.replace("example.org/dep", "github.com/mattn/go-sqlite3") };
    expect(runStepsIn(expandIn(goRecipe, wrapper))[0]?.env["CGO_ENABLED"]).toBe("1");
    expect(runStepsIn(expandIn(goRecipe, withC, { options: { cgo: "false" } }))[0]?.env["CGO_ENABLED"]).toBe("0");
  });

  test("refuses a repository without go.mod", () => {
    expect(() => expandIn(goRecipe, { "main.go": MAIN })).toThrow("no go.mod");
  });
});

describe("detection of Go", () => {
  test("main packages with their lines; a root one is the tool", () => {
    const [found] = detectIn({ ...ROOT, "cmd/other/main.go": MAIN });
    expect(found).toMatchObject({ recipe: "go", confidence: "certain", bins: { tool: null } });
    expect(found?.evidence).toEqual(["go.mod:1 module example.org/tool", "main.go:1 package main"]);
  });

  test("several programs below cmd, helpers left out", () => {
    const [found] = detectIn({ "go.mod": MOD, "cmd/a/x.go": MAIN, "cmd/b/main.go": MAIN, "hack/gen/main.go": MAIN });
    expect(Object.keys(found?.bins ?? {})).toEqual(["a", "b"]);
  });

  test("a library is only possible", () => {
    expect(detectIn({ "go.mod": MOD, "lib.go": "package lib\n" })[0]).toMatchObject({
      confidence: "possible",
      bins: {},
    });
  });
});
