import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import type { SandboxedRun } from "../../../src/sandbox/sandbox.ts";
import { resolveToolchain } from "../../../src/sandbox/toolchain.ts";
import { ACCOUNTS, type ExecutionFixture, createExecutionFixture } from "../../helpers/execution-fixture.ts";

test.each(["/dev/shm", "/var/tmp"])(
  "a store below %s, where the sandbox has a folder of its own, is there all the same",
  async (parent) => {
    const elsewhere = createExecutionFixture("self", parent);
    try {
      const { host, paths } = elsewhere;
      const result = await createSandbox(host).run({
        argv: ["/bin/sh", "-c", "touch file; ls -A .. ../.."],
        cwd: paths.prefix,
        env: { PATH: "/usr/bin:/bin" },
        timeoutMs: 20_000,
        signal: host.signal,
        grants: { writable: [paths.prefix], readable: [], network: [] },
      });
      expect(Buffer.from(result.stdout).toString()).toBe("..:\nprefix\n\n../..:\n1.0-0123456789ab\n");
      expect(fs.readdirSync(paths.prefix)).toEqual(["file"]);
    } finally {
      elsewhere.remove();
    }
  },
);

// What a hostile step tries. Every probe runs in the real recipe, as root and as an ordinary user where both are possible.

const SECRET = "hunter2-of-the-caller";
const SECRETS = ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "NPM_TOKEN"];

interface Answer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each(ACCOUNTS.map((account) => ({ account })))("sandbox of $account", ({ account }) => {
  let fixture: ExecutionFixture;
  let node: { program: string; readable: readonly string[] };
  let probe: (script: string, more?: Partial<SandboxedRun>) => Promise<Answer>;
  let viaNode: (script: string) => Promise<Answer>;

  beforeAll(async () => {
    for (const name of SECRETS) process.env[name] = SECRET;
    // Below /tmp on purpose: the sandbox has a /tmp of its own, and the store must still be there.
    fixture = createExecutionFixture(account, "/tmp");
    fixture.own();
    const { host, paths } = fixture;
    node = await resolveToolchain(host, host.facts.node.path);
    const sandbox = createSandbox(host);
    const run = async (argv: readonly [string, ...string[]], more: Partial<SandboxedRun> = {}): Promise<Answer> => {
      const result = await sandbox.run({
        argv,
        cwd: paths.source,
        env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: paths.home, TMPDIR: paths.tmp },
        timeoutMs: 20_000,
        signal: host.signal,
        grants: {
          writable: [paths.prefix, paths.source, paths.home, paths.tmp],
          readable: node.readable,
          network: [],
        },
        ...more,
      });
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString().trimEnd();
      return { exitCode: result.exitCode, stdout: text(result.stdout), stderr: text(result.stderr) };
    };
    probe = (script, more) => run(["/bin/sh", "-c", script], more);
    viaNode = (script) => run([node.program, "-e", script]);
  });
  afterAll(() => {
    for (const name of SECRETS) delete process.env[name];
    fixture.remove();
  });

  test("the recipe works here", async () => {
    expect(await createSandbox(fixture.host).probe()).toEqual({ state: "ok", cause: "", fix: null });
  });

  test("works: writes what is granted, as somebody, in the folder that was asked for", async () => {
    const answer = await probe('pwd; touch "$HOME/a" "$TMPDIR/b" ../prefix/c d /tmp/e /dev/shm/f && id -u');
    expect(answer).toEqual({ exitCode: 0, stdout: `${fixture.paths.source}\n1000`, stderr: "" });
    expect(fs.existsSync(path.join(fixture.paths.prefix, "c"))).toBe(true);
  });

  describe("environment", () => {
    test("C47: holds what was given and nothing of the caller", async () => {
      const { stdout } = await probe("env", { env: { ONLY: "this" } });
      expect(stdout.split("\n").toSorted()).toEqual(["ONLY=this", `PWD=${fixture.paths.source}`]);
    });

    test("C47: no process inside has a secret of the caller in its environment", async () => {
      const { stdout } = await probe(`cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c -F -e ${SECRET}`);
      expect(stdout).toBe("0");
    });

    test("C47: values are not seen in the list of processes, inside or outside", async () => {
      const inside = await probe(
        "cat /proc/1/cmdline | tr '\\0' ' '; grep -l -a -F value-of-the-step /proc/[0-9]*/cmdline",
        {
          env: { OWN: "value-of-the-step", PATH: "/usr/bin:/bin" },
        },
      );
      expect(inside.stdout).toContain("--args");
      expect(inside.stdout.split("\n")[0]).not.toContain("OWN");
    });
  });

  describe("/proc", () => {
    test("C48: shows no process of the host", async () => {
      const { stdout } = await probe("ls /proc | grep -c '^[0-9]'; cat /proc/*/comm");
      const [count, ...names] = stdout.split("\n");
      expect(Number(count)).toBeLessThan(8);
      expect(names.filter((name) => !["bwrap", "sh", "cat", "ls", "grep"].includes(name))).toEqual([]);
    });

    test("kernel settings cannot be changed", async () => {
      // core_pattern is the way out: a program that the kernel would run as root on the host.
      for (const name of [
        "sys/kernel/core_pattern",
        "sys/kernel/hostname",
        "sys/vm/swappiness",
        "sysrq-trigger",
        "irq",
      ]) {
        expect(await probe(`test -w /proc/${name}`)).toMatchObject({ exitCode: 1 });
      }
      expect((await probe("find /proc -type f -writable 2>/dev/null | head -5")).stdout).toBe("");
    });

    test("kernel memory and messages cannot be read", async () => {
      expect((await probe("head -c1 /proc/kcore")).exitCode).not.toBe(0);
      expect((await probe("head -c1 /proc/kmsg")).exitCode).not.toBe(0);
    });

    test("another process's memory outside cannot be reached by its number", async () => {
      const { stdout, exitCode } = await probe(`kill -0 ${process.pid} 2>&1; ls /proc/${process.pid}/mem`);
      expect(exitCode).not.toBe(0);
      expect(stdout).not.toContain("/mem\n");
    });
  });

  describe("the user's files", () => {
    test.each([
      ".ssh/id_ed25519",
      ".aws/credentials",
      ".npmrc",
      ".netrc",
      ".config/gh/hosts.yml",
      ".mozilla/x",
      ".bashrc",
    ])("C48: ~/%s is absent", async (name) => {
      const file = path.join(fixture.folder, "caller", name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, SECRET);
      expect((await probe(`cat '${file}'`)).exitCode).not.toBe(0);
      expect((await probe(`echo x >> '${file}'`)).exitCode).not.toBe(0);
      expect(fs.readFileSync(file, "utf8")).toBe(SECRET);
    });

    test("C48: homes of all users are absent", async () => {
      expect((await probe("ls -A /root /home")).stdout).toBe("");
    });

    test.each([
      "/etc/shadow",
      "/etc/gshadow",
      "/etc/ssl/private",
      "/etc/sudoers",
      "/etc/ssh",
      "/etc/machine-id",
      "/etc/npmrc",
    ])("C48: %s is absent", async (file) => {
      expect((await probe(`ls '${file}'`)).exitCode).not.toBe(0);
    });

    test("C48: what only root may read in a folder that is shown stays hidden or is not there", async () => {
      const { stdout } = await probe(
        "find /etc -type f ! -perm -o=r 2>/dev/null; find /etc -type d ! -perm -o=x 2>/dev/null",
      );
      expect(
        stdout.split("\n").filter((line) => line !== "/etc" && !/^\/etc\/(?:ssl|pki)$/u.test(line) && line !== ""),
      ).toEqual([]);
    });

    test.each([
      "/run/docker.sock",
      "/var/run/docker.sock",
      "/run/dbus/system_bus_socket",
      "/run/user",
      "/var/lib",
      "/var/log",
      "/srv",
      "/mnt",
      "/sys",
    ])("C48: %s is absent", async (file) => {
      expect((await probe(`ls -d '${file}'`)).exitCode).not.toBe(0);
    });
  });

  describe("writes", () => {
    test.each([
      "/x",
      "/etc/x",
      "/usr/local/bin/x",
      "/usr/bin/x",
      "/root/x",
      "/home/x",
      "/var/x",
      "/opt/x",
      "/etc/profile.d/x",
      "/run/x",
    ])("C49: %s cannot be made", async (file) => {
      const answer = await probe(`touch '${file}'`);
      expect(answer.exitCode).not.toBe(0);
      expect(fs.existsSync(file)).toBe(false);
    });

    test("C49: another tool's prefix and ipm's own state are neither seen nor written", async () => {
      const other = path.join(fixture.folder, "store/other/1.0-0123456789ab/prefix");
      fs.mkdirSync(other, { recursive: true });
      fs.writeFileSync(path.join(other, "file"), "x");
      fs.chmodSync(other, 0o777);
      expect((await probe(`ls '${other}'`)).exitCode).not.toBe(0);
      // The store of this test lies in /tmp, so the way to it is in the run's own /tmp: writes there go nowhere.
      await probe(`mkdir -p '${other}' && touch '${other}/y'; touch ../receipt.json ../../../../state`);
      expect(fs.readdirSync(other)).toEqual(["file"]);
      expect(fs.existsSync(path.join(path.dirname(fixture.paths.prefix), "receipt.json"))).toBe(false);
    });

    test("C49: the folders of the entry cannot be exchanged for links", async () => {
      await probe("cd ..; rm -rf prefix; mv prefix other; ln -s / prefix; ln -s / new");
      expect(fs.lstatSync(fixture.paths.prefix).isDirectory()).toBe(true);
      expect(fs.existsSync(path.join(path.dirname(fixture.paths.prefix), "new"))).toBe(false);
    });

    test("C49: modes and times of system files cannot be changed", async () => {
      expect((await probe("chmod 777 /usr/bin/env")).exitCode).not.toBe(0);
      expect((await probe("chmod u+w /etc/passwd; echo x >> /etc/passwd")).exitCode).not.toBe(0);
      expect((await probe("touch -d 2000-01-01 /usr/bin/env")).exitCode).not.toBe(0);
    });

    test("a system file cannot be hard-linked into the prefix", async () => {
      expect((await probe("ln /usr/bin/env ../prefix/env")).exitCode).not.toBe(0);
    });

    test("C62: no device can be made, no setuid program gives rights", async () => {
      expect((await probe("mknod ../prefix/null c 1 3")).exitCode).not.toBe(0);
      const status = await probe("grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs)' /proc/self/status");
      expect(status.stdout.replaceAll(/\s+/gu, " ")).toBe(
        "CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1",
      );
    });

    test("C46: su and sudo do not give root", async () => {
      expect((await probe("su -c true root </dev/null || sudo -n true")).exitCode).not.toBe(0);
    });

    test("/tmp is new for every run: a link planted there is gone", async () => {
      expect((await probe("ln -s /etc/passwd /tmp/planted && ls /tmp/planted")).exitCode).toBe(0);
      expect((await probe("ls -d /tmp/planted")).exitCode).not.toBe(0);
      expect(fs.existsSync("/tmp/planted")).toBe(false);
    });
  });

  describe("network", () => {
    test("C51: a server on 127.0.0.1 of the host cannot be reached", async () => {
      const server = net.createServer((socket) => socket.end("reached"));
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
      });
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const answer = await viaNode(
        `require("net").connect(${port}, "127.0.0.1").on("error", (e) => console.log(e.code)).pipe(process.stdout)`,
      );
      server.close();
      expect(answer.stdout).toBe("ECONNREFUSED");
    });

    test.each(["169.254.169.254", "192.0.2.1", "10.0.0.1"])("C51: there is no way to %s", async (ip) => {
      const answer = await viaNode(`require("net").connect(80, "${ip}").on("error", (e) => console.log(e.code))`);
      expect(answer.stdout).toBe("ENETUNREACH");
    });

    test("C51: names do not resolve", async () => {
      const answer = await viaNode(`require("dns").lookup("example.org", (e) => console.log(e.code))`);
      expect(["EAI_AGAIN", "ENOTFOUND"]).toContain(answer.stdout);
    });

    test("C51: an abstract socket of the host cannot be reached", async () => {
      const name = `ipm-probe-${process.pid}-${account}`;
      const server = net.createServer((socket) => socket.end("reached")).listen({ path: `\0${name}` });
      await new Promise((resolve) => {
        server.once("listening", resolve);
      });
      const answer = await viaNode(
        `require("net").connect({ path: "\\0${name}" }).on("error", (e) => console.log(e.code)).pipe(process.stdout)`,
      );
      server.close();
      expect(answer.stdout).toBe("ECONNREFUSED");
    });

    test("C51: only the loopback interface is there, raw sockets are refused", async () => {
      const { stdout } = await probe("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
      expect(stdout).toBe("lo");
    });
  });

  describe("namespaces", () => {
    test("a user namespace of its own is refused", async () => {
      expect((await probe("unshare -U true")).exitCode).not.toBe(0);
      expect((await probe("unshare -Urm true")).exitCode).not.toBe(0);
    });

    test("mounting, unmounting and changing the root are refused", async () => {
      expect((await probe("mount -t tmpfs none /tmp")).exitCode).not.toBe(0);
      expect((await probe("mount -o remount,rw,bind /usr")).exitCode).not.toBe(0);
      expect((await probe("umount -l ../prefix")).exitCode).not.toBe(0);
      expect((await probe("chroot .. /bin/true")).exitCode).not.toBe(0);
    });

    test("a process of the host cannot be traced", async () => {
      const answer = await probe(`strace -o /dev/null -p ${process.ppid}`);
      expect(answer.exitCode).not.toBe(0);
    });

    test("the host's name is not told and cannot be changed", async () => {
      expect((await probe("uname -n")).stdout).toBe("ipm-sandbox");
      expect((await probe("hostname x")).exitCode).not.toBe(0);
    });

    test("shared memory and queues of the host are not seen", async () => {
      const id = /\d+/u.exec(execFileSync("/usr/bin/ipcmk", ["-M", "64"]).toString())?.[0] ?? "";
      try {
        expect((await probe("ipcs -m | grep -c '^0x'")).stdout).toBe("0");
      } finally {
        execFileSync("/usr/bin/ipcrm", ["-m", id]);
      }
    });

    test.runIf(fs.existsSync("/usr/bin/cc"))(
      "C48: the caller's kernel keyring, which no namespace hides, cannot be asked for",
      async () => {
        const program = path.join(fixture.paths.source, "keyring");
        fs.writeFileSync(`${program}.c`, KEYRING_PROGRAM);
        execFileSync("/usr/bin/cc", ["-o", program, `${program}.c`]);
        expect(Number(execFileSync(program).toString())).toBeGreaterThan(0);
        expect((await probe(program)).stdout).toBe("-38");
      },
    );

    test("there is no terminal to type into", async () => {
      expect((await probe("exec < /dev/tty")).exitCode).not.toBe(0);
    });
  });

  describe("descriptors and processes", () => {
    test("C68: only 0 to 2 are open; a descriptor that ipm's caller leaked is /dev/null", async () => {
      const { stdout } = await probe("ls -l /proc/$$/fd; true");
      const open = [...stdout.matchAll(/(\d+) -> (.*)$/gmu)].map((match) => [match[1], match[2]]);
      expect(open.slice(0, 3).map(([number]) => number)).toEqual(["0", "1", "2"]);
      expect(open.slice(3).filter(([, target]) => target !== "/dev/null")).toEqual([]);
    });

    /** Processes of the host that have the fixture's prefix among their mounts: those inside. */
    const insiders = (): string[] =>
      fs.readdirSync("/proc").filter((pid) => {
        try {
          return /^\d+$/u.test(pid) && fs.readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(fixture.paths.prefix);
        } catch {
          return false;
        }
      });

    test("C52: a daemon in a session of its own is dead when the step has ended", async () => {
      const answer = await probe(
        "setsid nohup sh -c 'touch started; exec sleep 1000' > /dev/null 2>&1 & until [ -e started ]; do :; done",
      );
      expect(answer.exitCode).toBe(0);
      expect(insiders()).toEqual([]);
    });

    test("C52: everything inside dies with ipm, also when ipm is killed", async () => {
      const bundle = path.join(fixture.folder, "runner.mjs");
      await bundleRunner(bundle, account, fixture);
      const runner = spawn(process.execPath, [bundle], { stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((resolve) => {
        runner.stdout.once("data", resolve);
      });
      expect(insiders()).not.toEqual([]);
      runner.kill("SIGKILL");
      await expect.poll(insiders, { timeout: 10_000 }).toEqual([]);
    });

    test.runIf(account === "nobody" || process.getuid?.() !== 0)(
      "C66: the number of processes is limited",
      async () => {
        const { stdout } = await probe(
          "awk '/^Max processes/ { print $3, $4 } /^Max core/ { print $5, $6 }' /proc/self/limits",
        );
        expect(stdout).toBe("0 0\n4096 4096");
      },
    );

    test("a program that does not exist inside is the step's failure and not the sandbox's", async () => {
      expect((await probe("exec /no/such/program")).exitCode).toBe(127);
    });

    test("a step's own exit code and signal come through", async () => {
      expect((await probe("exit 42")).exitCode).toBe(42);
      expect((await probe("kill -KILL $$")).exitCode).toBe(137);
      expect((await probe("exit 1")).exitCode).toBe(1);
    });
  });
});

const KEYRING_PROGRAM = `
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  long id = syscall(SYS_keyctl, 0, -3, 1);
  printf("%ld", id < 0 ? (long)-errno : id);
  return 0;
}
`;

/** A program that runs a sandboxed `sleep` which says when it has started. */
async function bundleRunner(bundle: string, account: string, { folder, paths }: ExecutionFixture): Promise<void> {
  const helper = path.resolve("test/helpers/execution-fixture.ts");
  const sandbox = path.resolve("src/sandbox/create-sandbox.ts");
  await build({
    stdin: {
      resolveDir: process.cwd(),
      contents: `
        import { createExecutionFixture } from ${JSON.stringify(helper)};
        import { createSandbox } from ${JSON.stringify(sandbox)};
        const { host } = createExecutionFixture(${JSON.stringify(account)}, ${JSON.stringify(folder)});
        await createSandbox(host).run({
          argv: ["/bin/sh", "-c", "echo up; sleep 1000"], cwd: "/", env: { PATH: "/usr/bin:/bin" }, timeoutMs: 60000,
          signal: host.signal, grants: { writable: [${JSON.stringify(paths.prefix)}], readable: [], network: [] },
          onOutput: (_, chunk) => process.stdout.write(chunk),
        });`,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: bundle,
    logLevel: "error",
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
}
