import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

const HELLO = `#include <stdio.h>
int main(void) { puts("hello"); return 0; }
`;
const PLAIN = "steps: [uses: make]\nbin: [hello]\n";

describe.skipIf(lacks("make", "cc"))("make, from the checkout (make, cc)", () => {
  test("installs with PREFIX, together with manuals; the version comes from the tag", async () => {
    const { run, prefix } = await installRepository(
      {
        "hello.c": HELLO,
        "hello.1": ".TH HELLO 1\n",
        Makefile: `PREFIX ?= /usr/local
# A clone of one commit has the version's tag all the same.
VERSION := $(shell git describe --tags)
hello: hello.c
	$(CC) -o $@ hello.c
install: hello
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	cp hello $(DESTDIR)$(PREFIX)/bin
	cp hello.1 $(DESTDIR)$(PREFIX)/share/man/man1
	echo $(VERSION) > $(DESTDIR)$(PREFIX)/version
`,
      },
      PLAIN,
    );
    expect(run("hello")).toMatchObject({ stdout: "hello\n", status: 0 });
    expect(existsSync(path.join(prefix, "share/man/man1/hello.1"))).toBe(true);
    expect(readFileSync(path.join(prefix, "version"), "utf8")).toBe("v1.2.3\n");
  });

  test("a lower-case prefix, a plain target that prints help, and folders of their own below /etc and /usr/share", async () => {
    const { run, prefix } = await installRepository(
      {
        "hello.c": HELLO,
        Makefile: `prefix = /usr/local
bindir = $(prefix)/bin
CONFIG_DIR = /etc/hello
COMPLETION ?= /usr/share/bash-completion/completions
INSTALL = /usr/bin/install
help:
	@echo "make install"
hello: hello.c
	$(CC) -o $@ hello.c
install: hello
	mkdir -p $(bindir) $(CONFIG_DIR) $(COMPLETION)
	$(INSTALL) hello $(bindir)
	echo "greeting" > $(CONFIG_DIR)/config
	echo "complete hello" > $(COMPLETION)/hello
`,
      },
      PLAIN,
    );
    expect(run("hello").stdout).toBe("hello\n");
    expect(readFileSync(path.join(prefix, "etc/hello/config"), "utf8")).toBe("greeting\n");
    expect(existsSync(path.join(prefix, "share/bash-completion/completions/hello"))).toBe(true);
  });

  test("the home folder as the default place", async () => {
    const { run } = await installRepository(
      {
        hello: { run: "#!/bin/sh\necho hello\n" },
        Makefile: `BINDIR ?= $(HOME)/.local/bin
install:
	mkdir -p $(BINDIR)
	cp hello $(BINDIR)
`,
      },
      PLAIN,
    );
    expect(run("hello").stdout).toBe("hello\n");
  });

  test("DESTDIR alone, with fixed folders below it", async () => {
    const { run, prefix } = await installRepository(
      {
        hello: { run: "#!/bin/sh\necho hello\n" },
        Makefile: `install:
	mkdir -p $(DESTDIR)/usr/local/bin $(DESTDIR)/etc
	cp hello $(DESTDIR)/usr/local/bin
	echo x > $(DESTDIR)/etc/hellorc
`,
      },
      PLAIN,
    );
    expect(run("hello").stdout).toBe("hello\n");
    expect(existsSync(path.join(prefix, "etc/hellorc"))).toBe(true);
  });

  test("no install target: the programs are copied, wherever the build leaves them", async () => {
    const { run, prefix } = await installRepository(
      {
        "src/hello.c": HELLO,
        "src/bye.c": HELLO.replace("hello", "bye"),
        "bye.1": ".TH BYE 1\n",
        Makefile: `all: out/hello bye
out/hello: src/hello.c
	mkdir -p out
	$(CC) -o $@ src/hello.c
bye: src/bye.c
	$(CC) -o $@ src/bye.c
`,
      },
      "steps: [uses: make]\nbin: [hello, bye]\n",
    );
    expect([run("hello").stdout, run("bye").stdout]).toEqual(["hello\n", "bye\n"]);
    expect(existsSync(path.join(prefix, "share/man/man1/bye.1"))).toBe(true);
  });

  test("an install target that writes to fixed folders of the system is left alone", async () => {
    const { run } = await installRepository(
      {
        "hello.c": HELLO,
        Makefile: `hello: hello.c
	$(CC) -o $@ hello.c
install: hello
	cp hello /usr/local/bin/hello
`,
      },
      PLAIN,
    );
    expect(run("hello").stdout).toBe("hello\n");
  });

  test("PREFIX reaches make and no program that the Makefile calls, where npm is one of them", async () => {
    const { run } = await installRepository(
      {
        Makefile: `PREFIX = /usr/local
all:
	@printf '#!/bin/sh\\necho "prefix:%s"\\n' "$$PREFIX" > seen # npm would read it
install: all
	mkdir -p $(PREFIX)/bin
	install -m 755 seen $(PREFIX)/bin/seen
.PHONY: all install
lint:
	npm run lint
`,
      },
      "steps: [uses: make]\nbin: [seen]\n",
    );
    expect(run("seen").stdout).toBe("prefix:\n");
  });

  test("a shared library of its own is found at run time, whatever the environment says", async () => {
    const { run, prefix } = await installRepository(
      {
        "lib.c": 'const char *word(void) { return "from the library"; }\n',
        "main.c": "#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); return 0; }\n",
        Makefile: `PREFIX ?= /usr/local
all: libword.so talk
libword.so: lib.c
	$(CC) -shared -fPIC -o $@ lib.c
talk: main.c libword.so
	$(CC) -o $@ main.c -L. -lword
install: all
	mkdir -p $(PREFIX)/bin $(PREFIX)/lib
	cp libword.so $(PREFIX)/lib
	cp talk $(PREFIX)/bin
`,
      },
      "steps: [uses: make]\nbin: [talk]\n",
    );
    expect(run("talk")).toMatchObject({ stdout: "from the library\n", stderr: "" });
    expect(existsSync(path.join(prefix, "lib/libword.so"))).toBe(true);
  });

  test("the install rules of a Makefile below", async () => {
    const { run } = await installRepository(
      {
        Makefile: `all install:
	$(MAKE) -C src $@
`,
        "src/hello.c": HELLO,
        "src/Makefile": `PREFIX ?= /usr/local
all: hello
install: hello
	mkdir -p $(PREFIX)/bin
	cp hello $(PREFIX)/bin
`,
      },
      PLAIN,
    );
    expect(run("hello").stdout).toBe("hello\n");
  });
});
