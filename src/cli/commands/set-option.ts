import path from "node:path";
import { IpmError } from "../../core/errors.ts";
import type { Context } from "../../usecases/context.ts";
import type { Invocation, Session } from "../command.ts";

const MAX_BYTES = 1024 * 1024;

function misuse(message: string, hint: string): IpmError {
  return new IpmError("USAGE", message, { hint });
}

/** All of standard input. @throws IpmError USAGE at a terminal, where it would be shown while it is typed */
async function readInput(session: Session, name: string): Promise<string> {
  const { stdin } = session.streams;
  if (stdin.isTerminal) {
    throw misuse(
      `--set ${name}=- reads standard input, and that is a terminal`,
      `leave --set ${name}=- out and be asked`,
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin.stream()) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BYTES)
      throw misuse(`--set ${name}=-: standard input holds more than a value`, `--set ${name}=@FILE`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function readFile(context: Context, name: string, file: string): Promise<string> {
  const { files, facts } = context.host;
  const text = await files.readText(path.resolve(facts.cwd, file));
  if (text === undefined) throw misuse(`--set ${name}=@${file}: there is no such file`, `--set ${name}=@FILE`);
  return text;
}

/**
 * Every `--set K=V` of a command line: `K=@FILE` is the file's content and `K=-` standard input's, without the line break
 * at its end. No message repeats a value: it may be a secret.
 * @throws IpmError USAGE, IO_FAILED
 */
export async function readSet(
  session: Session,
  invocation: Invocation,
  context: Context,
): Promise<Readonly<Record<string, string>>> {
  const set: Record<string, string> = {};
  let usesInput = false;
  for (const word of invocation.texts("set")) {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/u.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw misuse("--set takes NAME=VALUE, with a variable's name", `ipm ${invocation.command} --help`);
    if (Object.hasOwn(set, name)) throw misuse(`--set gives ${name} twice`, `--set ${name}=VALUE`);
    if (value === "-" && usesInput) throw misuse("--set can read standard input for one value", `--set ${name}=@FILE`);
    usesInput ||= value === "-";
    const text =
      value === "-"
        ? await readInput(session, name)
        : value.startsWith("@")
          ? await readFile(context, name, value.slice(1))
          : value;
    set[name] = text === value ? value : text.replace(/\r?\n$/u, "");
  }
  return set;
}
