import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { SandboxReport } from "./sandbox.ts";

/** What a diagnosis looks at besides bubblewrap's own words. */
export interface SandboxFacts {
  /** `id` of /etc/os-release. */
  readonly distribution: string;
  /** /.dockerenv, /run/.containerenv or the like is there. */
  readonly inContainer: boolean;
  /** Value of kernel.apparmor_restrict_unprivileged_userns, or null where there is none. */
  readonly appArmorRestricts: boolean;
  /** Value of user.max_user_namespaces, or null where there is none. */
  readonly maxUserNamespaces: number | null;
}

const INSTALL: Readonly<Record<string, string>> = {
  debian: "sudo apt-get install -y bubblewrap",
  ubuntu: "sudo apt-get install -y bubblewrap",
  linuxmint: "sudo apt-get install -y bubblewrap",
  fedora: "sudo dnf install -y bubblewrap",
  rhel: "sudo dnf install -y bubblewrap",
  centos: "sudo dnf install -y bubblewrap",
  rocky: "sudo dnf install -y bubblewrap",
  almalinux: "sudo dnf install -y bubblewrap",
  arch: "sudo pacman -S --noconfirm bubblewrap",
  manjaro: "sudo pacman -S --noconfirm bubblewrap",
  alpine: "sudo apk add bubblewrap",
  "opensuse-leap": "sudo zypper install -y bubblewrap",
  "opensuse-tumbleweed": "sudo zypper install -y bubblewrap",
  nixos: "nix-env -iA nixos.bubblewrap",
};

/** The command that installs bubblewrap on a distribution, or null where it is not known. */
export function installCommand(distribution: string): string | null {
  return INSTALL[distribution] ?? null;
}

const APPARMOR_FIX =
  "sudo apt-get install -y apparmor-profiles && sudo ln -sf /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo systemctl reload apparmor";
const CONTAINER_FIX = "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined …";

/** bubblewrap is not in a system folder. */
export function missingReport(facts: SandboxFacts): SandboxReport {
  return {
    state: "missing",
    cause: "bubblewrap (bwrap) is not installed in a system folder",
    fix: installCommand(facts.distribution),
  };
}

/** bubblewrap would run with root's rights, so that a mistake in it would be root's. */
export function setuidReport(program: string): SandboxReport {
  return { state: "setuid", cause: `${program} is installed setuid root`, fix: `sudo chmod u-s ${program}` };
}

/**
 * Say from what bubblewrap wrote why the recipe did not run: one state, one sentence of cause, one command that mends it.
 * The texts are those of bubblewrap 0.8 to 0.11 on Ubuntu 24.04, in containers and inside another bubblewrap.
 */
export function diagnose(stderr: string, facts: SandboxFacts): SandboxReport {
  const said = escapeUntrusted((stderr.trim().split("\n").at(-1) ?? "").slice(0, 300)) || "no message";
  if (/Unknown option|unrecognized option/u.test(stderr)) {
    return {
      state: "too-old",
      cause: `bubblewrap is older than 0.8 (${said})`,
      fix: installCommand(facts.distribution),
    };
  }
  if (/nesting depth|max_\*_namespaces exceeded|No space left on device/u.test(stderr)) {
    if (facts.maxUserNamespaces === 0) {
      return {
        state: "nested",
        cause: "the kernel's limit for user namespaces is 0",
        fix: "sudo sysctl user.max_user_namespaces=15000",
      };
    }
    return { state: "nested", cause: "ipm runs inside another sandbox that allows none of its own", fix: null };
  }
  if (
    facts.appArmorRestricts &&
    /uid map: Permission denied|RTM_NEWADDR|Operation not permitted|Permission denied/u.test(stderr)
  ) {
    return { state: "denied-apparmor", cause: `AppArmor restricts user namespaces (${said})`, fix: APPARMOR_FIX };
  }
  if (!facts.inContainer && /uid map: Permission denied|RTM_NEWADDR/u.test(stderr)) {
    return {
      state: "denied-apparmor",
      cause: `a security module restricts user namespaces (${said})`,
      fix: APPARMOR_FIX,
    };
  }
  if (!facts.inContainer && /does not allow non-privileged user namespaces/u.test(stderr)) {
    return {
      state: "denied-container",
      cause: "the kernel refuses user namespaces to ordinary users",
      fix: "sudo sysctl kernel.unprivileged_userns_clone=1",
    };
  }
  return {
    state: "denied-container",
    cause: `the container or the kernel refuses what a sandbox is made of (${said})`,
    fix: facts.inContainer ? CONTAINER_FIX : null,
  };
}
