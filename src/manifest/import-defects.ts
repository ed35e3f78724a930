/** What an imported record can have wrong, with the sentence that says so; the order is that of the summary table. */
export const IMPORT_DEFECTS = {
  NOT_A_COMMAND: "an instruction that is no command: a URL, a snippet of a build file, a comment, prose",
  ECHO_OF_PROSE: "an `echo` of a sentence as a step",
  PLACEHOLDER_LEFT: "a text that the reader was to replace",
  NO_CHECKOUT: "commands that need a checkout which the method never makes",
  ALTERNATIVES_IN_ONE: "alternatives in one method, all of which would run",
  CLONE_WITHOUT_CD: "a clone whose folder is never entered",
  SYSTEMS_IN_ONE: "commands of several systems in one method",
  BLOCKING_COMMAND: "a command that does not come to an end: a server, a container with a terminal, an editor",
  LOST_SHELL_STATE: "a command that only changes the shell it runs in",
  OVERWRITES_FILE: "a command that overwrites the file of an earlier one",
  NEEDS_ROOT: "a command that asks for the rights of root, or changes the system's packages",
  UNPINNED_DOWNLOAD: "a download or a clone that nothing pins",
  EMPTY_REQUIREMENT: "a requirement without a name",
  REQUIREMENT_NO_PROGRAM: "a requirement that is no program: hardware, an account, a service, knowledge",
  RELATIVE_RESOURCE: "a resource whose address is a path in the repository",
  PROSE_AFTERWARDS: "a step after the installation that holds code or several steps in one text",
  MALFORMED: "a part of the record that is not of its documented shape",
} as const satisfies Record<string, string>;

export type ImportDefect = keyof typeof IMPORT_DEFECTS;

/** A defect at a place of a record. Every text in it is one safe line. */
export interface ImportFinding {
  readonly defect: ImportDefect;
  /** `installation_methods[2].instructions[0]`. */
  readonly path: string;
  readonly message: string;
}
