import { describe, expect, test } from "vitest";
import { factsAlone, lintManifest } from "../../../src/manifest/lint/lint-manifest.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { formatManifest } from "../../../src/manifest/format-manifest.ts";
import { type Draft, type DraftInput, draftManifest, readProbe } from "../../../src/recipes/draft-manifest.ts";
import { bytesOf, DIGITS } from "../../helpers/manifests.ts";

const MIT = `MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software\n… The above copyright notice and this permission notice shall be included …`;

function inputOf(
  texts: Readonly<Record<string, string>>,
  change: Partial<DraftInput> & { readonly executable?: readonly string[] } = {},
): DraftInput {
  const { executable = [], ...rest } = change;
  return {
    files: Object.keys(texts).map((path) => ({ path, executable: executable.includes(path) })),
    texts,
    name: "ripcat",
    git: "https://github.com/owner/ripcat.git",
    versions: [{ version: "2.10", ref: "refs/tags/v2.10", commit: DIGITS as never, tree: DIGITS as never }],
    submodules: [],
    ...rest,
  };
}

function draftOf(texts: Readonly<Record<string, string>>, change: Parameters<typeof inputOf>[1] = {}): Draft {
  const draft = draftManifest(inputOf(texts, change));
  if (draft === undefined) throw new Error("nothing was drafted");
  return draft;
}

function value(draft: Draft, key: string): { value: string; evidence: readonly string[] } | undefined {
  return draft.values.find((one) => one.key === key);
}

/** A draft is right when the schema takes it, no rule has an error, and the formatter has nothing to do. */
function expectClean(draft: Draft, kind: "registry" | "repository" = "registry"): void {
  const { findings } = lintManifest(bytesOf(draft.text), "draft.yaml", { facts: factsAlone(kind) });
  expect(
    findings.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code} ${message}`),
  ).toEqual([]);
  expect(formatManifest(bytesOf(draft.text), "draft.yaml")).toEqual({ ok: true, text: draft.text });
}

const PACKAGE = JSON.stringify(
  {
    name: "@owner/ripcat",
    description: "Ripcat searches text in archives.",
    license: "Apache 2.0",
    homepage: "https://ripcat.example.org/",
    keywords: ["Search", "archive"],
    bin: { rc: "bin/rc.js", ripcat: "bin/rc.js" },
  },
  null,
  2,
);

test("submodules that the build speaks of are listed, the others are a TODO", () => {
  const texts = {
    Makefile:
      "PREFIX ?= /usr/local\nrc: vendor/zlib/inflate.c\n\t$(CC) -o rc -Ivendor/zlib main.c\ninstall: rc\n\tinstall -D rc $(DESTDIR)$(PREFIX)/bin/rc\n",
    "main.c": "int main(){}",
  };
  const draft = draftOf(texts, { submodules: ["vendor/zlib", "vendor/z", "tests/corpus"] });
  expectClean(draft);
  expect(draft.text).toContain("source: { git: https://github.com/owner/ripcat.git, submodules: [vendor/zlib] }\n");
  expect(value(draft, "source")?.evidence).toContain("Makefile:2 needs vendor/zlib");
  expect(draft.todos).toContain("it has submodules, which are not fetched: vendor/z, tests/corpus");
  // An ipm.yaml says nothing of its source.
  const own = draftOf(texts, { submodules: ["vendor/zlib"], git: null, versions: [] });
  expect(own.todos).toContain("it has submodules, which are not fetched: vendor/zlib");
});

test("a script takes the word of the package.json that publishes it, and not of another's", () => {
  const said = { description: "Fetches certificates.", license: "Apache-2.0", keywords: ["tls"] };
  const files = [{ path: "ripcat", executable: true }];
  const own = draftOf({ "package.json": JSON.stringify({ name: "@owner/ripcat", ...said }) }, { files });
  expect([value(own, "summary"), value(own, "license"), value(own, "keywords")?.value]).toMatchObject([
    { value: "Fetches certificates", evidence: ["package.json description"] },
    { value: "Apache-2.0", evidence: ["package.json license Apache-2.0"] },
    '["tls"]',
  ]);
  const other = draftOf({ "package.json": JSON.stringify({ name: "its-website", ...said }) }, { files });
  expect(value(other, "license")?.value).toBe("LicenseRef-unknown");
});

describe("what the package says", () => {
  const draft = draftOf({ "package.json": PACKAGE, "bin/rc.js": "#!/usr/bin/env node\n" });

  test("name, summary, licence, home page, keywords, pin, recipe, commands and a first test", () => {
    expectClean(draft);
    const result = parseManifest(bytesOf(draft.text), "draft.yaml");
    expect(result).toMatchObject({
      ok: true,
      manifest: {
        name: "ripcat",
        summary: "Searches text in archives",
        license: "Apache-2.0",
        homepage: "https://ripcat.example.org/",
        keywords: ["search", "archive"],
        source: { git: "https://github.com/owner/ripcat.git" },
        versions: [{ version: "2.10", ref: "refs/tags/v2.10", commit: DIGITS, tree: DIGITS }],
        steps: [{ uses: "npm" }],
        bin: ["rc", "ripcat"],
        tests: [
          {
            run: "ripcat --version || ripcat --help || ripcat -V || ripcat -h || ripcat -h 2>&1 | grep -i usage || ripcat 2>&1 | grep -i usage",
          },
        ],
      },
    });
  });

  test("every value has its evidence, with the line", () => {
    expect(draft.values.map(({ key }) => key)).toEqual([
      "name",
      "summary",
      "license",
      "homepage",
      "keywords",
      "source",
      "versions",
      "steps",
      "bin",
      "tests",
    ]);
    expect(value(draft, "steps")?.evidence[0]).toBe("package.json:2 package @owner/ripcat");
    expect(value(draft, "bin")?.evidence).toEqual(["package.json:10 commands rc, ripcat"]);
    expect(value(draft, "license")?.evidence).toEqual(["package.json license Apache 2.0"]);
  });

  test("without a URL it is an ipm.yaml", () => {
    const own = draftOf({ "package.json": PACKAGE, "bin/rc.js": "" }, { git: null, versions: [] });
    expectClean(own, "repository");
    expect(own.text).not.toMatch(/^(?:source|versions):/mu);
  });
});

describe("what is not written anywhere", () => {
  test("summary from the README's first paragraph, licence from its text", () => {
    const draft = draftOf({
      "go.mod": "module example.org/ripcat\n\ngo 1.22\n",
      "main.go": "package main\n\nfunc main() {}\n",
      LICENSE: MIT,
      "README.md":
        "# ripcat\n\n[![ci](https://x.example.org/badge.svg)](x)\n\nripcat is a *fast* [searcher](https://x)\nof archives.\n\nMore.\n",
    });
    expectClean(draft);
    expect(value(draft, "summary")).toEqual({
      key: "summary",
      value: "Fast searcher of archives",
      evidence: ["README.md:5"],
    });
    expect(value(draft, "license")).toEqual({ key: "license", value: "MIT", evidence: ["LICENSE text of MIT"] });
  });

  test("two licence files are a choice", () => {
    const apache = "Apache License\nVersion 2.0, January 2004\n";
    const texts = {
      "Cargo.toml": '[package]\nname = "ripcat"\nversion = "1.0.0"\n',
      "src/main.rs": "fn main() {}",
      "LICENSE-MIT": MIT,
      "LICENSE-APACHE": apache,
    };
    expect(value(draftOf(texts), "license")?.value).toBe("Apache-2.0 OR MIT");
  });

  test("what nobody says is a TODO, and the draft is still a manifest", () => {
    const draft = draftOf(
      { "package.json": '{"name":"ripcat","bin":"rc.js"}', "rc.js": "" },
      { versions: [{ version: "0.0.0-1", ref: "refs/heads/main", commit: DIGITS as never, tree: DIGITS as never }] },
    );
    expectClean(draft);
    expect(draft.todos).toEqual(
      expect.arrayContaining([
        "say what it does, in one line",
        "no licence was recognised: without one nobody may use it",
        "no tag looks like a version: this is a commit of a branch",
      ]),
    );
    for (const todo of draft.todos) expect(draft.text).toContain(`# TODO: ${todo}\n`);
  });
});

describe("several ways", () => {
  test("the one with a command of the repository's name comes first, the others are named", () => {
    const draft = draftOf({
      "package.json": '{"name":"docs","private":true,"scripts":{"build":"x"}}',
      "Cargo.toml":
        '[package]\nname = "ripcat"\nversion = "1.0.0"\nlicense = "MIT/Apache-2.0"\ndescription = "Search text"\n',
      "src/main.rs": "fn main() {}",
    });
    expectClean(draft);
    expect(draft.candidates.map(({ recipe }) => recipe)).toEqual(["cargo", "npm"]);
    expect(value(draft, "license")?.value).toBe("MIT OR Apache-2.0");
  });

  test("a native build system stands in for another, a Makefile beside Go does not", () => {
    const c = draftOf({
      "CMakeLists.txt":
        "cmake_minimum_required(VERSION 3.10)\nproject(ripcat C)\nadd_executable(ripcat main.c)\ninstall(TARGETS ripcat)\n",
      Makefile:
        "PREFIX ?= /usr/local\nripcat: main.c\n\tcc -o ripcat main.c\ninstall: ripcat\n\tinstall ripcat $(PREFIX)/bin\n",
      "main.c": "int main(void) { return 0; }",
    });
    expectClean(c);
    expect(c.text).toMatch(/^methods:\n {2}- steps: \[\{ uses: cmake \}\]\n {2}- steps: \[\{ uses: make \}\]\n/mu);
    const go = draftOf({
      "go.mod": "module example.org/ripcat\n",
      "main.go": "package main\nfunc main() {}\n",
      Makefile: "ripcat:\n\tgo build\ninstall:\n\tcp ripcat $(PREFIX)/bin\n",
    });
    expect(go.text).not.toContain("methods:");
  });

  test("a package of another ecosystem with the same commands is a second method", () => {
    const project = `[project]\nname = "ripcat"\nscripts = { ripcat = "a:b" }\n`;
    const both = { "package.json": '{"name":"ripcat","bin":"rc.js"}', "rc.js": "" };
    const draft = draftOf({ ...both, "pyproject.toml": project });
    expectClean(draft);
    expect(draft.text).toMatch(/methods:\n {2}- steps: \[uses: npm\]|methods:\n {2}- .*npm/u);
    expect(draft.text).toContain("uses: python");
    const other = draftOf({ ...both, "pyproject.toml": project.replace("ripcat =", "other =") });
    expect(other.text).not.toContain("methods:");
  });

  test("what failed is passed over, and there is an end to it", () => {
    const texts = {
      "Cargo.toml": '[package]\nname = "ripcat"\nversion = "1.0.0"\n',
      "src/main.rs": "fn main() {}",
      Makefile: "ripcat:\n\tcargo build\n",
    };
    expect(draftManifest(inputOf(texts, { skip: 1 }))?.candidates[1]?.recipe).toBe("make");
    expect(draftManifest(inputOf(texts, { skip: 1 }))?.text).toContain("uses: make");
    expect(draftManifest(inputOf(texts, { skip: 2 }))).toBeUndefined();
  });

  test("nothing to see gives no draft", () => {
    expect(draftManifest(inputOf({ "README.md": "# Notes\n" }))).toBeUndefined();
  });
});

describe("what the host must have", () => {
  test("a library that is linked and included becomes the header that is looked for, and a terminal is named", () => {
    const draft = draftOf({
      Makefile: "ripcat: main.c\n\t$(CC) -o ripcat main.c -lncurses\n",
      "main.c": "#include <curses.h>\n#include <stdio.h>\nint main(void) { return 0; }\n",
    });
    expectClean(draft);
    expect(draft.text).toContain("requires:\n  - { header: curses.h }\n");
    expect(value(draft, "requires")?.evidence).toEqual(["Makefile:2 links with -lncurses, main.c:1 includes curses.h"]);
    expect(draft.text).toContain("run: export TERM=xterm; ripcat --version");
  });

  test("a library that the repository carries itself is none", () => {
    const draft = draftOf({
      Makefile: "ripcat: main.c\n\t$(CC) -o ripcat main.c -lz\n",
      "main.c": "#include <zlib.h>\n",
      "zlib/zlib.h": "",
    });
    expect(draft.text).not.toContain("requires:");
  });

  test("the interpreter of a script that is only copied", () => {
    const draft = draftOf({ ripcat: "#!/usr/bin/env bash\necho hi\n" }, { executable: ["ripcat"] });
    expectClean(draft);
    expect(draft.text).toContain("requires:\n  - { tool: bash, for: run, why: runs the script }\n");
  });
});

describe("the README", () => {
  test("what the recipe does is not repeated, other package managers are named, the rest is a note", () => {
    const draft = draftOf({
      "package.json": PACKAGE,
      "bin/rc.js": "",
      "README.md":
        "# ripcat\n\n## Install\n\n```sh\nnpm install -g ripcat\nbrew install ripcat\n./fetch-index --all\n```\n\n## Use\n\n```sh\nrc x\n```\n",
    });
    expectClean(draft);
    expect(draft.text).toContain("elsewhere: { brew: ripcat }");
    expect(draft.notes).toEqual(["README.md:7 brew install ripcat", "README.md:8 ./fetch-index --all"]);
  });

  test.each([
    [
      "reStructuredText",
      "README.rst",
      "ripcat\n======\n\n.. image:: x.png\n\nSearch text in archives.\n\nInstallation\n------------\n\nFirst::\n\n    $ npm install -g ripcat\n    $ brew install ripcat\n\n.. code-block:: bash\n   :linenos:\n\n   make fetch-data\n\nUsage\n-----\n\n::\n\n    ripcat --everything\n",
      19,
    ],
    [
      "AsciiDoc",
      "README.adoc",
      "= ripcat\n:toc:\n\nimage::x.png[]\n\nSearch text in archives.\n\n== Installation\n\n[source,sh]\n----\nnpm install -g ripcat\nbrew install ripcat\nmake fetch-data\n----\n\n== Usage\n\n----\nripcat --everything\n----\n",
      14,
    ],
  ])("%s is read like Markdown", (_, file, text, line) => {
    const draft = draftOf({ "package.json": '{"name":"ripcat","bin":"rc.js"}', "rc.js": "", [file]: text });
    expect(value(draft, "summary")).toMatchObject({ value: "Search text in archives" });
    expect(draft.notes).toContain(`${file}:${line} make fetch-data`);
    expect(draft.notes.join("\n")).not.toMatch(/everything|npm install/u);
    expect(draft.text).toContain("elsewhere: { brew: ripcat }");
  });

  const EXPRESS = JSON.stringify({ name: "ripcat", bin: "rc.js", dependencies: { express: "4" } });
  const SHOWN =
    "# ripcat\n\nSearch.\n\n```\nripcat docs --port 8080 # serves\n```\n\nOpen http://localhost:8080/ now.\n";

  test("a server is started as its README does it, where a framework says that it is one", () => {
    const draft = draftOf({ "package.json": EXPRESS, "rc.js": "", "README.md": SHOWN });
    expectClean(draft);
    expect(draft.text).toContain("start: { run: ripcat docs --port 8080, url: http://127.0.0.1:8080/ }");
    expect(value(draft, "start")?.evidence).toEqual(["README.md:6 starts it, and line 9 says where"]);
  });

  test.each([
    ["no framework", EXPRESS.replace("express", "chalk"), SHOWN],
    [
      "what a command prints",
      EXPRESS,
      SHOWN.replace("ripcat docs --port 8080 # serves", "$ other\nripcat settings\nripcat settings:"),
    ],
    ["no address near it", EXPRESS, SHOWN.replace("\nOpen", "\n## Elsewhere\n\nOpen")],
    ["another command between them", EXPRESS, SHOWN.replace("# serves\n", "\nripcat --help\n")],
    ["a place holder in it", EXPRESS, SHOWN.replace("docs", "<folder>")],
  ])("no server with %s", (_, manifest, readme) => {
    expect(draftOf({ "package.json": manifest, "rc.js": "", "README.md": readme }).text).not.toContain("start:");
  });

  test("a Spring Boot server is asked while it runs, and shown how to start", () => {
    const pom =
      "<project><artifactId>ripcat</artifactId><dependencies><dependency><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies><build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build></project>";
    const draft = draftOf({ "pom.xml": pom, LICENSE: MIT });
    expectClean(draft);
    expect(draft.text).toContain(
      'start: { run: ripcat --server.address=127.0.0.1 --server.port=8080, url: "http://127.0.0.1:8080/" }'.replaceAll(
        '"',
        "",
      ),
    );
    expect(draft.text).toContain("{ run: curl -sS -o /dev/null http://127.0.0.1:8080/, during: start }");
    expect(draft.text).not.toContain("--version");
    const plain = draftOf({ "pom.xml": pom.replace("starter-web<", "starter-webmvc-test<") });
    expect(plain.text).not.toContain("start:");
  });

  test("a server is shown how to start", () => {
    const draft = draftOf({
      "package.json": '{"name":"ripcat","bin":"rc.js","description":"A search server","license":"MIT"}',
      "rc.js": "",
      "README.md": "Then open http://localhost:8080 in a browser.\n",
    });
    expectClean(draft);
    expect(draft.text).toContain("start: { run: ripcat, url: http://127.0.0.1:8080/ }");
  });
});

describe("hostile repositories", () => {
  const EVIL = "\u001b[2Jx\u202ey\nsteps: [run: sudo]\n# z";

  test("names, summaries, commands and evidence stay data: one line, no control or bidi characters", () => {
    const draft = draftOf(
      {
        "package.json": JSON.stringify({
          name: "ripcat",
          description: EVIL,
          license: EVIL,
          keywords: [EVIL],
          homepage: "javascript:x",
          bin: { rc: "rc.js", "../x": "rc.js", sudo: "rc.js", "a b": "rc.js" },
        }),
        "rc.js": "",
        "README.md": `${EVIL}\n## Install\n\n\`\`\`\n${EVIL}\n\`\`\`\n`,
      },
      { name: EVIL },
    );
    expectClean(draft);
    expect(draft.text).toContain("bin: [rc]");
    expect(JSON.stringify([draft.todos, draft.values, draft.notes])).not.toMatch(/\\u001b|\u202e/u);
  });

  test("protected names are left out and said", () => {
    const draft = draftOf({ "package.json": '{"name":"ripcat","bin":{"git":"a.js","rc":"a.js"}}', "a.js": "" });
    expect(draft.text).toContain("bin: [rc]");
    expect(draft.todos).toContainEqual(expect.stringContaining("git"));
  });

  test("only protected names: nothing is installed", () => {
    const draft = draftOf({ "package.json": '{"name":"ripcat","bin":{"git":"a.js"}}', "a.js": "" });
    expectClean(draft);
    expect(draft.kind).toBe("library");
  });
});

describe("a repository that is worked in", () => {
  const SETUP = "from setuptools import setup\nsetup(name='ripcat', packages=['ripcat'])\n";

  test.each([
    ["notebooks", { "setup.py": SETUP, "ripcat/__init__.py": "", "demo.ipynb": "{}" }, 'python -c "import ripcat"'],
    ["scripts and a list of packages", { "requirements.txt": "numpy\n", "train.py": "" }, "python -m pip check"],
  ])("%s make a workspace", (_, files, run) => {
    const draft = draftOf({ ...files, LICENSE: MIT, "README.md": "# ripcat\n\nA small net, from scratch.\n" });
    expect(draft.kind).toBe("workspace");
    expectClean(draft);
    expect(draft.text).not.toMatch(/^bin:|^start:/mu);
    expect(parseManifest(bytesOf(draft.text), "draft.yaml")).toMatchObject({
      ok: true,
      manifest: { kind: "workspace", tests: [{ run }] },
    });
  });

  test("what the README installs from the index is a library", () => {
    const draft = draftOf({
      "setup.py": SETUP,
      "demo.ipynb": "{}",
      "README.md": "# ripcat\n\n```bash\npip install ripcat\n```\n",
    });
    expect(draft.kind).toBe("library");
  });

  test("nothing to work with is a library too", () => {
    expect(draftOf({ "setup.py": SETUP, "ripcat/__init__.py": "" }).kind).toBe("library");
  });
});

test("a library says where else it can be had", () => {
  const draft = draftOf({
    "package.json": '{"name":"@owner/ripcat","main":"i.js","license":"MIT","description":"Search text"}',
    "i.js": "",
  });
  expectClean(draft);
  expect(draft.kind).toBe("library");
  expect(draft.text).toContain('elsewhere: { npm: "@owner/ripcat" }');
});

describe("what a probe of the usual questions saw", () => {
  test.each([
    [["answered to --version", "ripcat 2.10.0"], "2.10.0", "--version", "^ripcat {version}$"],
    [["answered to --version", "v2.10.0"], "2.10.0", "--version", "^v{version}$"],
    [["noise", "answered to -V", "ripcat, of 2.10.0 (linux)"], "2.10.0", "-V", "{version}"],
    [["answered to --version", "ripcat 12.10.0.1"], "2.10.0", "--version", String.raw`\S`],
    [["answered to --help", "usage: ripcat (needs libc 2.10.0)"], "2.10.0", "--help", String.raw`\S`],
    [["answered to --version", "ripcat 2.10.0"], null, "--version", String.raw`\S`],
  ])("%j of version %s", (lines, version, ask, output) => {
    expect(readProbe(lines, "ripcat", version)).toMatchObject({ ask, output });
  });

  test("no answer, an empty one, and a forged question are none", () => {
    expect(readProbe(["usage: ripcat"], "ripcat", "1.0.0")).toBeUndefined();
    expect(readProbe(["answered to --version", " "], "ripcat", "1.0.0")).toBeUndefined();
    expect(readProbe(["answered to ; rm -rf /", "x"], "ripcat", "1.0.0")).toBeUndefined();
  });
});

test("the version that a tool is developed with is advice, where the package itself names none", () => {
  const files = {
    "package.json": JSON.stringify({ name: "ripcat", bin: "rc.js" }),
    "rc.js": "",
    ".nvmrc": "v20.1.0\n",
  };
  const draft = draftOf(files);
  expect(draft.text).toContain(
    '{ tool: node, version: ">=20", optional: true, why: "what it is developed with, by .nvmrc" }',
  );
  expect(value(draft, "requires")?.evidence).toContain(".nvmrc:1 developed with node 20.1.0");
  expectClean(draft);
  const stated = {
    ...files,
    "package.json": JSON.stringify({ name: "ripcat", bin: "rc.js", engines: { node: ">=18" } }),
  };
  expect(draftOf(stated).text).not.toContain(".nvmrc");
});
