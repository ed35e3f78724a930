/**
 * Commands that no tool may provide: what people and scripts rely on to be the system's, what ipm itself starts, and what
 * asks for passwords. Compared without regard to case, because some file systems do not know it.
 */
export const PROTECTED_LAUNCHERS: ReadonlySet<string> = new Set(
  [
    // ipm, and what it starts
    "ipm git node npm npx corepack bwrap flock lockf sandbox-exec",
    // rights and passwords
    "sudo su doas pkexec run0 login passwd chsh visudo ssh ssh-add ssh-agent ssh-keygen scp sftp gpg gpg-agent gpgv security",
    // shells, and what every script begins with
    "sh ash bash dash zsh ksh csh tcsh busybox env exec test true false echo printf read cd command type time",
    // files
    "ls cp mv rm ln cat dd df du rmdir mkdir mktemp touch chmod chown chgrp install stat readlink realpath basename dirname find xargs mount umount shred sync",
    // text
    "awk cut grep egrep fgrep head more sed sort tail tee tr uniq wc which whereis diff patch",
    // archives and downloads
    "tar gzip gunzip curl wget",
    // processes and the system
    "ps kill killall pkill nohup nice timeout systemctl launchctl service crontab at id whoami uname hostname date sleep open xdg-open",
    // interpreters, compilers and package managers
    "python python2 python3 pip pip3 perl ruby gem java cc c++ gcc g++ clang clang++ ld as ar make",
    "apt apt-get dpkg dnf yum rpm pacman apk brew port nix snap flatpak docker podman",
  ].flatMap((line) => line.split(" ")),
);

/** True for a command such as `sudo`, `ls` or `git`, which a manifest may not provide. */
export function isProtectedLauncher(name: string): boolean {
  return PROTECTED_LAUNCHERS.has(name.toLowerCase());
}
