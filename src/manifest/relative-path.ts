/**
 * Why a text is not a relative path that stays inside its folder, or undefined when it is one: parts divided by `/`, none
 * of them empty, `.` or `..`, nothing that could be taken for a flag, a home folder or git's own folder.
 * The message completes "the path …".
 */
export function relativePathProblem(text: string): string | undefined {
  if (text === "") return "is empty";
  if (text.startsWith("/")) return "is absolute";
  if (text.startsWith("~")) return "begins with `~`";
  if (text.startsWith("-")) return "begins with a dash";
  if (text.includes("\\")) return "holds a backslash";
  if (/[\n\t]/u.test(text)) return "holds a line break or a tab";
  if (text.endsWith("/")) return "ends with a slash";
  for (const part of text.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `has the part \`${part}\``;
    if (part.toLowerCase() === ".git") return "names git's own folder";
    if (Buffer.byteLength(part) > 255) return "has a part of more than 255 bytes";
  }
  return undefined;
}
