import { BUILD_TIMEOUT_MS, type DraftRun } from "./recipe.ts";

/** How pip behaves in a step, wherever it installs to. */
export const PIP_SETTINGS = {
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_NO_INPUT: "1",
  PIP_PROGRESS_BAR: "off",
  PIP_ROOT_USER_ACTION: "ignore",
};

const PIP_ENVIRONMENT = {
  ...PIP_SETTINGS,
  // What a repository's own setup.py may look for: the environment that it is installed into, and no other.
  VIRTUAL_ENV: "{prefix}/venv",
};

/** The base interpreter's pip works on the environment from outside, so that no pip has to be put into it first. */
const CREATE_COMMAND = `
python3 -m venv --without-pip "$IPM_PREFIX/venv"
if ! python3 -m pip --python "$IPM_PREFIX/venv/bin/python" --version > /dev/null 2>&1; then
  "$IPM_PREFIX/venv/bin/python" -m ensurepip
fi
`.trim();
/** What begins a command that installs: `pip` for the environment, by whichever pip there is. */
export const PIP = `
pip() {
  if [ -e "$IPM_PREFIX/venv/bin/pip3" ]; then "$IPM_PREFIX/venv/bin/python" -m pip "$@"
  else python3 -m pip --python "$IPM_PREFIX/venv/bin/python" "$@"; fi
}
`.trim();

/** Where a pip had to be put in, it goes with what came with it, unless a package says that it needs them. */
export const REMOVE_INSTALLERS = `
import re, subprocess, sys
from importlib.metadata import distributions
def name(text):
    return re.sub(r"[-_.]+", "-", re.match(r"[\\w.-]+", text).group()).lower()
spare = {"pip", "setuptools", "wheel"}
there = {name(d.metadata["Name"]): d for d in distributions()}
wanted = {name(r) for n, d in there.items() if n not in spare for r in d.requires or [] if "extra ==" not in r}
gone = sorted(n for n in spare - wanted if n in there)
if "pip" in gone:
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *gone]))
`.trim();

/** A text in single quotes for `sh`. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A step of the environment's Python or pip, with PyPI where `network` says so. */
export function pythonRun(title: string, command: DraftRun["run"], why: string | null, network = false): DraftRun {
  return {
    kind: "run",
    title,
    why,
    run: command,
    dir: null,
    env: PIP_ENVIRONMENT,
    timeoutMs: BUILD_TIMEOUT_MS,
    network: network ? ["pypi"] : [],
  };
}

/** The first step: an environment in the prefix, without a pip of its own where the base interpreter's can do. */
export const CREATE: DraftRun = pythonRun(
  "create the virtual environment",
  CREATE_COMMAND,
  "an environment of its own: nothing of the system's Python is touched",
);

/** The last step. */
export const COMPILE: DraftRun = pythonRun(
  "compile to byte code",
  // Templates and files for other versions of Python need not compile.
  '"$IPM_PREFIX/venv/bin/python" -I -m compileall -qq -f --invalidation-mode unchecked-hash "$IPM_PREFIX/venv/lib" || :',
  "what would be compiled at the first run",
);
