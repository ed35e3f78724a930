import { launchersOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

/** Commands that come with most systems, besides the protected ones that no manifest may provide at all. */
const COMMON = new Set(
  "bc cal clear cmp comm cpio csplit dc dig dnsdomainname ed expand expr file fold free ftp fuser getconf getent groups host hostid iconv id ifconfig ip join last less link locale logger logname lsof m4 mail man mesg mkfifo mknod nc netstat nl nologin nproc od passwd paste pathchk pgrep ping pinky pr printenv ptx reset rev route rsync script seq setsid shuf split ss strace strings stty sum tac telnet test tput traceroute truncate tsort tty ul unexpand unlink unxz unzip uptime users vi vim w wall watch whatis who write xxd xz xzcat yes zip zcat zgrep http https open start look rename column hexdump cc1 ldd nm objdump strip size bzip2 emacs nano screen lp lpr jobs bg fg wait history alias".split(
    " ",
  ),
);

export const shadowsCommand: LintRule = {
  code: "SHADOWS_COMMAND",
  severity: "warning",
  means: "A command has the name of one that most systems have.",
  why: "Whoever types the name, and every script that uses it, gets the new program; and where the system's folder comes first on PATH, the new one is never found.",
  cure: "Provide it under another name where the tool lets you, or leave that name out of `bin`.",
  bad: "steps: [uses: npm]\nbin: [split]\ntests: [run: printf abc | split b]",
  good: "steps: [uses: npm]\nbin: { rc-split: bin/split }\ntests: [run: printf abc | rc-split b]",
  check: (subject) =>
    launchersOf(subject).flatMap(({ path, name }) =>
      COMMON.has(name.toLowerCase())
        ? [{ path, key: typeof path.at(-1) === "string", message: `\`${name}\` is a command that most systems have` }]
        : [],
    ),
};
