/**
 * Variables that a manifest may not set, for steps, launchers or tests: they change what the shell, the dynamic loader, an
 * interpreter or git does before the first line of the program runs, or they belong to ipm. Compared in upper case.
 */
export const DENIED_NAMES: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "SHELL",
  "TMPDIR",
  "USER",
  "LOGNAME",
  "IFS",
  "CDPATH",
  "ENV",
  "BASH_ENV",
  "BASHOPTS",
  "SHELLOPTS",
  "PS4",
  "PROMPT_COMMAND",
  "ZDOTDIR",
  "NODE_OPTIONS",
  "NODE_REPL_EXTERNAL_MODULE",
  "PYTHONSTARTUP",
  "PYTHONHOME",
  "PERL5OPT",
  "PERL5DB",
  "RUBYOPT",
  "JAVA_TOOL_OPTIONS",
  "_JAVA_OPTIONS",
  "JDK_JAVA_OPTIONS",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "GCONV_PATH",
  "LOCPATH",
]);

export const DENIED_PREFIXES = ["LD_", "DYLD_", "GIT_", "IPM_", "BASH_FUNC_", "SSH_"];

/** True for a variable that a manifest may not set. */
export function isDeniedEnvironmentName(name: string): boolean {
  const upper = name.toUpperCase();
  return DENIED_NAMES.has(upper) || DENIED_PREFIXES.some((prefix) => upper.startsWith(prefix));
}
