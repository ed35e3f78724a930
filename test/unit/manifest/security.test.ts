import { describe, expect, test } from "vitest";
import { firstUnsafeCharacter } from "../../../src/core/untrusted-text.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { bytesOf, codesOf, DIGITS, findingsOf, manifestOf, manifestYaml, placesOf } from "../../helpers/manifests.ts";

/** Group A of the threat list: hostile manifests. Each is refused before anything runs, with the file and the place. */

test("A1: an alias bomb is refused before it is expanded", () => {
  const levels = Array.from(
    { length: 10 },
    (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(10)}]`,
  );
  const findings = findingsOf(manifestYaml({ bomb: ["l0: &l0 [x]", ...levels].join("\n") }));
  expect(new Set(findings.slice(0, 100).map(({ code }) => code))).toEqual(new Set(["YAML_REFERENCE"]));
});

test("A2: anchors, aliases and merge keys are refused", () => {
  expect(codesOf({ bin: "bin: &b [rc]" })).toEqual(["YAML_REFERENCE"]);
  expect(codesOf({ bin: "bin: *b" })).toEqual(["YAML_REFERENCE"]);
  expect(codesOf({ steps: "steps: [{ <<: { uses: npm }, uses: npm }]" })).toEqual(["YAML_REFERENCE"]);
  expect(codesOf({ steps: 'steps: [{ "<<": { uses: npm }, uses: npm }]' })).toEqual(["YAML_REFERENCE"]);
});

test("A3: a key that is written twice is refused, also when it is quoted or escaped", () => {
  for (const again of [
    "name: other",
    '"name": other',
    "'name': other",
    String.raw`"n\u0061me": other`,
    "? name\n: other",
  ]) {
    expect(codesOf({ again })).toEqual(["DUPLICATE_KEY"]);
  }
  expect(codesOf({ steps: "steps: [{ uses: npm, with: { a: 1, 'a': 2 } }]" })).toEqual(["DUPLICATE_KEY"]);
});

test("A4: prototype keys are refused at every level and pollute nothing", () => {
  for (const key of ["__proto__", "constructor", "prototype", String.raw`"__pr\x6fto__"`]) {
    expect(codesOf({ evil: `${key}: { polluted: yes }` })).toEqual(["FORBIDDEN_KEY"]);
    expect(codesOf({ steps: `steps: [{ uses: npm, with: { a: [{ ${key}: { polluted: yes } }] } }]` })).toEqual([
      "FORBIDDEN_KEY",
    ]);
    expect(codesOf({ steps: `steps: [{ uses: npm, env: { ${key}: x } }]` })).toContain("FORBIDDEN_KEY");
  }
  expect("polluted" in {}).toBe(false);
});

test("A5: huge files, lists and texts are refused by a limit", () => {
  expect(placesOf(new Uint8Array(5_000_000).fill(0x61))).toEqual(["1:1 FILE_TOO_LARGE"]);
  expect(placesOf(bytesOf(manifestYaml({ summary: `summary: ${"a".repeat(1_000_000)}` })))).toEqual([
    "1:1 FILE_TOO_LARGE",
  ]);
  expect(codesOf({ summary: `summary: ${"a".repeat(200_000)}` })).toEqual(["TOO_LONG"]);
  expect(codesOf({ steps: `steps:\n${"  - run: x\n".repeat(10_000)}` })).toEqual(["TOO_MANY"]);
  expect(codesOf({ notes: `notes: "${"a".repeat(4_001)}"` })).toEqual(["TOO_LONG"]);
});

describe("A6: depth", () => {
  // Each would make the parser recurse once a level; a stack overflow there can end the process.
  test.each([
    ["[", "["],
    ["{a: ", "{a: "],
    ["- ", "- "],
    ["? ", "? "],
    ["- ? ", "- ? "],
    ["a: ", "a: "],
    ["[{", "[{a: "],
  ])("%s many times is refused", (_, piece) => {
    const text = piece.repeat(Math.floor(250_000 / piece.length));
    expect(findingsOf(text).map(({ code }) => code)).toEqual(["TOO_DEEP"]);
  });

  test("deeper and deeper lines are refused", () => {
    const lines = Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}a:`);
    expect(findingsOf(lines.join("\n")).map(({ code }) => code)).toEqual(["TOO_DEEP"]);
    const lists = Array.from({ length: 100 }, (_, depth) => `${"  ".repeat(depth)}- a:\n${"  ".repeat(depth)}  - b:`);
    expect(findingsOf(lists.join("\n")).at(-1)?.code).toBe("TOO_DEEP");
  });

  test("lists below keys of the same column count as two levels", () => {
    const lines = Array.from({ length: 30 }, (_, depth) => `${"  ".repeat(depth)}a:\n${"  ".repeat(depth)}-\n`);
    expect(findingsOf(`${lines.join("")}${"  ".repeat(30)}x`).map(({ code }) => code)).toContain("TOO_DEEP");
  });

  test("32 levels are read", () => {
    const deep = (levels: number): string => `${"[".repeat(levels)}x${"]".repeat(levels)}`;
    // The manifest, steps, the step, with and its member are five.
    expect(codesOf({ steps: `steps: [{ uses: npm, with: { a: ${deep(27)} } }]` })).toEqual([]);
    expect(codesOf({ steps: `steps: [{ uses: npm, with: { a: ${deep(28)} } }]` })).toEqual(["TOO_DEEP"]);
  });

  test("brackets within texts are no levels", () => {
    expect(codesOf({ summary: `summary: "${"[{".repeat(40)}"` })).toEqual([]);
    expect(codesOf({ notes: `notes: |\n  ${"- ".repeat(40)}\n  ${"[".repeat(40)}` })).toEqual([]);
  });
});

test("A7: two documents, directives and tags are refused", () => {
  expect(codesOf({ more: "---\nname: other" })).toEqual(["YAML_DOCUMENTS"]);
  expect(codesOf({ more: "...\nname: other" })).toContain("YAML_DOCUMENTS");
  expect(findingsOf(`%YAML 1.1\n---\n${manifestYaml()}`).map(({ code }) => code)).toEqual(["YAML_DIRECTIVE"]);
  for (const tag of ["!!js/function", "!!binary", "!!str", "!own", "!<tag:yaml.org,2002:str>", "!"]) {
    expect(codesOf({ license: `license: ${tag} "MIT"` })).toEqual(["YAML_TAG"]);
  }
  expect(findingsOf(`---\n${manifestYaml()}`)).toEqual([]);
});

test("A8: texts keep what was written", () => {
  const manifest = manifestOf(
    manifestYaml({
      versions: `versions:\n  - { version: 1.10, commit: ${DIGITS}, tree: 0123456789012345678901234567890123456789, added: 2026-11-01 }\n  - { version: 012, commit: ${DIGITS}, tree: ${DIGITS} }\n  - { version: 1e5, commit: ${DIGITS}, tree: ${DIGITS} }`,
      keywords: "keywords: [yes, no, on, 0x10, 1.0]",
      steps: "steps: [{ uses: npm, env: { A: 0o17, B: 1_000, C: .inf, D: 2026-11-01 } }]",
    }),
  );
  expect(manifest.versions.map(({ version }) => version)).toEqual(["1.10", "012", "1e5"]);
  expect(manifest.versions[0]).toMatchObject({
    commit: DIGITS,
    tree: "0123456789012345678901234567890123456789",
    added: "2026-11-01",
  });
  expect(manifest.keywords).toEqual(["yes", "no", "on", "0x10", "1.0"]);
  expect(manifest.steps?.[0]?.env).toEqual({ A: "0o17", B: "1_000", C: ".inf", D: "2026-11-01" });
});

describe("A9: encodings and control characters", () => {
  test("what is not UTF-8 is refused", () => {
    const text = manifestYaml();
    const utf16 = new Uint8Array([0xff, 0xfe, ...Buffer.from(text, "utf16le")]);
    expect(placesOf(utf16)).toEqual(["1:1 NOT_UTF8"]);
    expect(placesOf(Buffer.from(text.replace("Search", "S\u00fcche"), "latin1"))).toEqual(["1:1 NOT_UTF8"]);
    // A surrogate half, encoded as if it were a character.
    expect(placesOf(Buffer.concat([Buffer.from("name: "), Buffer.from([0xed, 0xa0, 0x80])]))).toEqual(["1:1 NOT_UTF8"]);
    expect(findingsOf(Buffer.from(text, "utf16le")).map(({ code }) => code)).toContain("UNSAFE_CHARACTER");
  });

  test("a lone surrogate behind an escape is refused", () => {
    expect(codesOf({ summary: String.raw`summary: "abc \ud800 def"` })).toEqual(["UNSAFE_CHARACTER"]);
  });

  test.each([
    ["NUL", "\u0000"],
    ["BEL", "\u0007"],
    ["ESC", "\u001b"],
    ["DEL", "\u007f"],
    ["C1 CSI", "\u009b"],
    ["a lone CR", "\r"],
    ["lexer's own marks", "\u0002\u0018\u001f"],
  ])("%s is refused, as written and behind an escape, in values, keys and comments", (_, character) => {
    const escaped = character
      .split("")
      .map((one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`)
      .join("");
    expect(new Set(codesOf({ summary: `summary: "abc ${character} def"` }))).toEqual(new Set(["UNSAFE_CHARACTER"]));
    expect(codesOf({ summary: `summary: "abc ${escaped} def"` })).toEqual(["UNSAFE_CHARACTER"]);
    expect(codesOf({ comment: `# abc ${character} def` })).toContain("UNSAFE_CHARACTER");
    expect(codesOf({ steps: `steps: [{ uses: npm, with: { "a${escaped}": x } }]` })).toContain("UNSAFE_CHARACTER");
  });

  test("a byte order mark and CRLF are fine", () => {
    expect(findingsOf(Buffer.from(`\ufeff${manifestYaml()}`))).toEqual([]);
    expect(manifestOf(manifestYaml({ notes: "notes: |\n  a\n  b" }).replaceAll("\n", "\r\n")).notes).toBe("a\nb\n");
    expect(codesOf({ comment: "# \ufeff" })).toEqual(["UNSAFE_CHARACTER"]);
  });
});

test("A10: names that could leave, be a flag or a device are refused", () => {
  for (const name of [
    "..",
    ".",
    '""',
    "/a",
    "a/b",
    String.raw`'a\b'`,
    "-rf",
    "con",
    "com1.txt",
    "a".repeat(65),
    "a.",
    "a..b",
    "A",
    "a b",
    "~a",
  ]) {
    expect([name, ...codesOf({ name: `name: ${name}` })]).not.toEqual([name]);
    expect([name, ...codesOf({ aliases: `aliases: [${name}]` })]).not.toEqual([name]);
  }
  expect(codesOf({ name: `name: ${"a".repeat(64)}` })).toEqual([]);
});

test("A11: look-alike characters in names are refused", () => {
  for (const name of ["rip\u0441at", "\uff52ipcat", "rip\u200bcat", "ripcat\u0301", "ri\u0440cat", "\u212aelvin"]) {
    expect([name, ...codesOf({ name: `name: "${name}"` })]).not.toEqual([name]);
    expect([name, ...codesOf({ bin: `bin: ["${name}"]` })]).not.toEqual([name]);
  }
});

test("A12: bidirectional and invisible characters are refused, and shown escaped", () => {
  for (const character of ["\u202e", "\u2066", "\u200b", "\u200d", "\u2028", "\u061c", "\u{e0041}", "\u00ad"]) {
    for (const change of [
      { summary: `summary: "abc${character}def"` },
      { steps: `steps: [{ run: "make ${character}" }]` },
      { comment: `# ${character}` },
    ]) {
      const findings = findingsOf(manifestYaml(change));
      expect(findings.map(({ code }) => code)).toEqual(["UNSAFE_CHARACTER"]);
      expect(JSON.stringify(findings)).not.toContain(character);
    }
  }
  expect(findingsOf(manifestYaml({ summary: 'summary: "abc\u202edef"' }))[0]?.message).toContain(String.raw`\u202e`);
});

test("A13: paths that leave the prefix or the checkout are refused", () => {
  for (const file of [
    "/bin/rc",
    "../x",
    "bin/../../x",
    '""',
    ".",
    "./rc",
    "bin//rc",
    "bin/",
    "~/rc",
    "-x",
    String.raw`'bin\rc'`,
    ".git/hooks/x",
    "a/.GIT/x",
    '"a\\nb"',
  ]) {
    expect([file, ...codesOf({ bin: `bin: { rc: ${file} }` })]).not.toEqual([file]);
    expect([file, ...codesOf({ source: `source: { git: https://github.com/o/r.git, path: ${file} }` })]).not.toEqual([
      file,
    ]);
    expect([file, ...codesOf({ steps: `steps: [{ run: make, dir: ${file} }]` })]).not.toEqual([file]);
    expect([
      file,
      ...codesOf({ steps: `methods: [{ steps: [uses: npm], provides: { share: { a: ${file} } } }]` }),
    ]).not.toEqual([file]);
    expect([
      file,
      ...codesOf({ steps: `methods: [{ steps: [uses: npm], provides: { share: { ${file}: a } } }]` }),
    ]).not.toEqual([file]);
  }
  expect(codesOf({ source: "source: { bundle: ../x.bundle }" })).toEqual(["INVALID_PATH"]);
  expect(codesOf({ bin: "bin: { rc: lib/r c/..rc }" })).toEqual([]);
});

test("A14: names of commands that are no plain file names are refused", () => {
  for (const name of [
    "a/b",
    "a b",
    '"a\\nb"',
    "$(id)",
    "-x",
    "..",
    ".",
    "a..b",
    '""',
    "a;b",
    "'*'",
    "~",
    "a".repeat(65),
  ]) {
    expect([name, ...codesOf({ bin: `bin: [${name}]` })]).not.toEqual([name]);
    expect([name, ...codesOf({ bin: `bin: { ${name}: bin/rc }` })]).not.toEqual([name]);
  }
});

test("A15: no terminal sequence survives in what is parsed or said", () => {
  const sequences = [
    "\u001b[2J",
    "\u001b]52;c;aGk=\u0007",
    "\u001b]8;;http://x\u001b\\",
    "\u001bPq\u001b\\",
    "\u001b_x\u001b\\",
    "\u009b2J",
    "a\rb",
    "a\bb",
  ];
  for (const sequence of sequences) {
    for (const key of ["summary", "license", "notes", "withdrawn", "zzz"]) {
      const findings = findingsOf(manifestYaml({ [`${key} `]: `${key}: ${JSON.stringify(sequence)}`, [key]: null }));
      expect([key, ...findings.map(({ code }) => code)]).toContain("UNSAFE_CHARACTER");
      expect(firstUnsafeCharacter(findings.map(({ message, sourceLine }) => message + sourceLine).join(""))).toBe(
        undefined,
      );
    }
  }
});

test("A16: an unknown key is refused with a suggestion, a newer schema with advice", () => {
  const [unknown] = findingsOf(manifestYaml({ steps: "stpes: [uses: npm]" }));
  expect([unknown?.code, unknown?.hint]).toEqual(["UNKNOWN_KEY", "did you mean `steps`?"]);
  for (const schema of ["99", "ipm/v2", "ipm/v99"]) {
    const [newer] = findingsOf(manifestYaml({ schema: `schema: ${schema}` }));
    expect(newer?.code).toBe("SCHEMA_UNSUPPORTED");
    expect(newer?.message).toContain("needs a newer ipm");
  }
  expect(findingsOf(manifestYaml({ schema: "schema: npm" }))[0]?.message).not.toContain("newer");
});

test("A17: wrong types everywhere are listed at once, an empty document is refused", () => {
  const keys = [...manifestYaml().matchAll(/^([a-z]+):/gmu)].map(([, key]) => key ?? "");
  const wrong = keys.map(
    (key) =>
      `${key}: ${key === "source" || key === "versions" || key === "steps" || key === "bin" || key === "tests" ? "x" : "{ a: b }"}\n`,
  );
  expect(placesOf(wrong.join(""))).toEqual(
    keys.map((_, index) => `${index + 1}:${(keys[index]?.length ?? 0) + 3} WRONG_TYPE`),
  );
  expect(codesOf({ steps: "steps: null" })).toEqual(["EMPTY_VALUE"]);
  expect(codesOf({ steps: "steps:" })).toEqual(["EMPTY_VALUE"]);
  expect(codesOf({ steps: "steps: ~" })).toEqual(["EMPTY_VALUE"]);
  expect(codesOf({ steps: "steps: [~]" })).toEqual(["EMPTY_VALUE"]);
  for (const empty of ["", "\n", "# nothing\n", "---\n", "---\n...\n"]) {
    expect([empty, ...findingsOf(empty).map(({ code }) => code)]).toEqual([empty, "EMPTY_VALUE"]);
  }
  for (const other of ["just text", "[a, b]"])
    expect(findingsOf(other).map(({ code }) => code)).toEqual(["WRONG_TYPE"]);
  expect(new Set(findingsOf("{}").map(({ code }) => code))).toEqual(new Set(["MISSING_KEY"]));
});

test("A18: variables that change the shell, the loader, git or ipm cannot be set", () => {
  const names = [
    "PATH",
    "Path",
    "HOME",
    "LD_PRELOAD",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "NODE_OPTIONS",
    "BASH_ENV",
    "ENV",
    "PYTHONSTARTUP",
    "GIT_SSH_COMMAND",
    "GIT_DIR",
    "IPM_PREFIX",
    "ipm_prefix",
    "SSH_AUTH_SOCK",
    "IFS",
    "https_proxy",
  ];
  for (const name of names) {
    expect([name, ...codesOf({ steps: `steps: [{ uses: npm, env: { ${name}: x } }]` })]).toEqual([
      name,
      "DENIED_ENV_NAME",
    ]);
    expect([name, ...codesOf({ bin: `bin: { rc: { run: [node, x], env: { ${name}: x } } }` })]).toEqual([
      name,
      "DENIED_ENV_NAME",
    ]);
  }
  for (const name of ["A-B", "1A", "'BASH_FUNC_x%%'", "'A=B'", '""', "'A B'"]) {
    expect([name, ...codesOf({ steps: `steps: [{ uses: npm, env: { ${name}: x } }]` })]).not.toEqual([name]);
  }
  expect(codesOf({ steps: "steps: [{ uses: npm, env: { RC_CONFIG: x, CFLAGS: -O2 } }]" })).toEqual([]);
});

describe("A19: placeholders", () => {
  test("unknown, nested and shell-like ones are refused where placeholders are filled", () => {
    for (const value of [
      "${foo}",
      "{foo}",
      "{{version}}x{foo}",
      "${version}",
      "{Version}",
      "{prefix}{home}",
      "{version.major}",
    ]) {
      expect([value, ...codesOf({ steps: `steps: [{ uses: npm, env: { A: '${value}' } }]` })]).toContain(
        "UNKNOWN_PLACEHOLDER",
      );
      expect([value, ...codesOf({ steps: `steps: [{ uses: npm, with: { a: [{ b: '${value}' }] } }]` })]).toContain(
        "UNKNOWN_PLACEHOLDER",
      );
      expect([value, ...codesOf({ elsewhere: `elsewhere: { npm: '${value}' }` })]).toContain("UNKNOWN_PLACEHOLDER");
      expect([value, ...codesOf({ bin: `bin: { rc: { run: [node, x], env: { A: '${value}' } } }` })]).toContain(
        "UNKNOWN_PLACEHOLDER",
      );
    }
    expect(codesOf({ tests: "tests: [{ run: rc, expect: { stdout: '{foo}' } }]" })).toEqual(["UNKNOWN_PLACEHOLDER"]);
  });

  test("known ones are refused everywhere else", () => {
    for (const change of [
      { steps: "steps: [{ run: 'make {prefix}' }]" },
      { steps: "steps: [{ run: [make, '{version}'] }]" },
      { bin: "bin: { rc: 'lib/{version}/rc' }" },
      { notes: "notes: 'this is {version}'" },
      { tests: "tests: [{ run: rc, stdin: '{commit}' }]" },
      { steps: "steps: [{ uses: npm, why: '{version}' }]" },
      { bin: "bin: { rc: { run: [node, '{prefix}/x'] } }" },
    ]) {
      expect(codesOf(change)).toEqual(["PLACEHOLDER_NOT_ALLOWED"]);
    }
  });

  test.each([
    [{ steps: "steps: [{ run: 'make {prefix}' }]" }, "in `run` it is $IPM_PREFIX"],
    [{ tests: "tests: [run: 'rc --is {version}']" }, "in `run` it is $IPM_VERSION"],
    [{ steps: "steps: [{ run: [make, '{version}'] }]" }, "write `run` as one text, with $IPM_VERSION"],
    [{ bin: "bin: { rc: { run: [node, '{prefix}/x'] } }" }, "relative paths are of the prefix"],
    [{ notes: "notes: 'this is {version}'" }, undefined],
  ])("%j is told what there is instead", (change, hint) => {
    const result = parseManifest(bytesOf(manifestYaml(change)), "m.yaml");
    expect(result.ok ? [] : result.findings.map((finding) => finding.hint)).toEqual([hint]);
  });

  test("a package has no commit", () => {
    const source = "source: { package: npm:ripcat }";
    const versions = `versions: [{ version: 1.0.0, integrity: sha512-YQ==, lock: locks/1.0.0.npm }]`;
    const elsewhere = "license: MIT\nelsewhere: { npm: 'ripcat@{commit}' }";
    expect(codesOf({ source, versions, license: elsewhere })).toEqual(["PLACEHOLDER_NOT_ALLOWED"]);
    expect(codesOf({ license: elsewhere })).toEqual([]);
  });

  test("known ones pass where they are filled; braces of patterns and of the shell are none", () => {
    expect(
      codesOf({
        steps:
          "steps: [{ uses: npm, env: { A: '{prefix}/{version}-{commit}' } }, { run: 'echo ${HOME} {a,b} && f() { true; }' }]",
        tests: String.raw`tests: [{ run: rc, expect: { stdout: '^[0-9]{1,3}\p{Lu}\u{1f600} {version} {prefix}$' } }]`,
      }),
    ).toEqual([]);
  });
});

test("A20: a repository's URL must be https, without credentials, exactly in normal form", () => {
  const refused = [
    "http://github.com/o/r.git",
    "git://github.com/o/r.git",
    "ssh://git@github.com/o/r.git",
    "git@github.com:o/r.git",
    "file:///srv/r.git",
    "ext::sh -c id",
    "https://user@github.com/o/r.git",
    "https://user:token@github.com/o/r.git",
    "https://@github.com/o/r.git",
    "HTTPS://github.com/o/r.git",
    "https://GitHub.com/o/r.git",
    "https://github.com:443/o/r.git",
    "https://github.com/o/../r.git",
    "https://github.com/o/%2e%2e/r.git",
    "https:/github.com/o/r.git",
    "https:github.com/o/r.git",
    String.raw`https:\\github.com\o\r.git`,
    "https://github.com/o//r.git",
    "https://github.com/o/r.git?x=1",
    "https://github.com/o/r.git#x",
    "https://g\u0456thub.com/o/r.git",
    "https://github\u3002com/o/r.git",
    "https://0x7f.1/o/r.git",
    "--upload-pack=id",
    "/srv/r.git",
  ];
  for (const url of refused)
    expect([url, ...codesOf({ source: `source: { git: '${url}' }` })]).toEqual([url, "INVALID_URL"]);
  expect(codesOf({ homepage: "homepage: https://user:x@example.org/" })).toEqual(["INVALID_URL"]);
  expect(codesOf({ homepage: "homepage: javascript:alert(1)" })).toEqual(["INVALID_URL"]);
  expect(codesOf({ homepage: "homepage: https://example.org" })).toEqual([]);
  const shown = JSON.stringify(
    findingsOf(manifestYaml({ source: "source: { git: https://user:token@github.com/o/r.git }" })).map(
      ({ message, hint }) => [message, hint],
    ),
  );
  expect(shown).not.toContain("token");
});

test("A20: ssh and file URLs are for files that the user named", () => {
  for (const url of ["ssh://git@github.com/o/r.git", "file:///srv/r.git"]) {
    expect([url, ...codesOf({ source: `source: { git: '${url}' }` }, { named: true })]).toEqual([url]);
  }
  expect(codesOf({ source: "source: { git: 'http://github.com/o/r.git' }" }, { named: true })).toEqual(["INVALID_URL"]);
});

test("a pin is a full, lower-case id", () => {
  for (const commit of [
    "-f",
    "--orphan=zz",
    "HEAD",
    "main",
    "1234567",
    "a".repeat(39),
    "a".repeat(41),
    "A".repeat(40),
  ]) {
    expect([
      commit,
      ...codesOf({ versions: `versions: [{ version: 1.0, commit: ${commit}, tree: ${DIGITS} }]` }),
    ]).toEqual([commit, "INVALID_PIN"]);
  }
});

test("parsing gives back plain data without a prototype of its own", () => {
  const result = parseManifest(bytesOf(manifestYaml()), "m.yaml");
  expect(result.ok && structuredClone(result.manifest)).toEqual(result.ok && result.manifest);
});
