import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

const LIBRARY = 'const char *word(void) { return "from the library"; }\n';
const MAIN = "#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); return 0; }\n";

describe.skipIf(lacks("make", "cc"))("autotools, from the checkout (make, cc)", () => {
  test.skipIf(lacks("autoconf"))(
    "(autoconf) no configure script: autoreconf makes it, and a library of its own is found at run time",
    async () => {
      const { run } = await installRepository(
        {
          "configure.ac": `AC_INIT([talk], [1.0])
AC_PROG_CC
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
`,
          "install-sh": { run: '#!/bin/sh\nexec install "$@"\n' },
          "Makefile.in": `prefix = @prefix@
CC = @CC@
LDFLAGS = @LDFLAGS@
all: libword.so talk
libword.so: lib.c
	$(CC) -shared -fPIC -o $@ lib.c
talk: main.c libword.so
	$(CC) $(LDFLAGS) -o $@ main.c -L. -lword
install: all
	mkdir -p $(prefix)/bin $(prefix)/lib
	cp libword.so $(prefix)/lib
	cp talk $(prefix)/bin
`,
          "lib.c": LIBRARY,
          "main.c": MAIN,
        },
        "steps: [uses: autotools]\nbin: [talk]\n",
      );
      expect(run("talk")).toMatchObject({ stdout: "from the library\n", stderr: "" });
    },
  );

  test("a tracked configure: its generated files are not made anew, and what asks pkg-config for a folder stays inside", async () => {
    const { run, prefix } = await installRepository(
      {
        "configure.ac": "AC_INIT([hello], [1.0])\nAC_OUTPUT\n",
        configure: {
          run: `#!/bin/sh
for word; do case $word in --prefix=*) prefix=\${word#--prefix=} ;; esac; done
completions=\${PKG_CONFIG_BASH_COMPLETION_COMPLETIONSDIR:-/usr/share/bash-completion/completions}
sed -e "s|@prefix@|$prefix|" -e "s|@completions@|$completions|" Makefile.in > Makefile
`,
        },
        "aclocal.m4": "",
        "Makefile.in": `prefix = @prefix@
all: hello
# What automake writes: a checkout's times must not set it off.
configure: configure.ac aclocal.m4
	@echo "autoconf is missing" >&2; exit 1
Makefile.in: configure
	@echo "automake is missing" >&2; exit 1
all: configure Makefile.in
hello:
	printf '#!/bin/sh\\necho hello\\n' > hello
	chmod +x hello
install:
	mkdir -p $(prefix)/bin @completions@
	cp hello $(prefix)/bin
	echo x > @completions@/hello
`,
      },
      "steps: [uses: autotools]\nbin: [hello]\n",
    );
    expect(run("hello").stdout).toBe("hello\n");
    expect(existsSync(path.join(prefix, "share/bash-completion/completions/hello"))).toBe(true);
  });

  test.skipIf(lacks("autoconf"))(
    "(autoconf) autogen.sh of its own, which runs configure unless it is told not to",
    async () => {
      const { run } = await installRepository(
        {
          "configure.ac": "AC_INIT([hello], [1.0])\nAC_OUTPUT\n",
          "autogen.sh": `printf '#!/bin/sh\\nprefix=$(echo "$1" | sed s/--prefix=//); sed "s|@prefix@|$prefix|" in > Makefile\\n' > configure
chmod +x configure
[ -n "\${NOCONFIGURE:-}" ] || ./configure --prefix=/usr/local
`,
          in: `prefix = @prefix@
hello:
	printf '#!/bin/sh\\necho hello\\n' > hello
	chmod +x hello
install: hello
	mkdir -p $(prefix)/bin
	cp hello $(prefix)/bin
`,
        },
        "steps: [uses: autotools]\nbin: [hello]\n",
      );
      expect(run("hello").stdout).toBe("hello\n");
    },
  );
});
