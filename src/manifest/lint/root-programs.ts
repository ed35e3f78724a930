/** Programs that ask for the rights of root, or hand them out. */
export const ROOT_PROGRAMS: ReadonlySet<string> = new Set(["sudo", "doas", "su", "pkexec", "run0", "setcap", "chroot"]);
