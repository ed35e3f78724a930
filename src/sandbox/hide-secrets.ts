type Output = (stream: "stdout" | "stderr", chunk: Uint8Array) => void;

const INSTEAD = "[credential]";

/** A text as the bytes that it is written as, one character each: a chunk may end within a character. */
function bytesOf(secret: string): string {
  return Buffer.from(secret).toString("latin1");
}

/** How many characters of the end could be the beginning of a secret. */
function openEnd(text: string, secrets: readonly string[]): number {
  let most = 0;
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, text.length); length > most; length--) {
      if (!text.endsWith(secret.slice(0, length))) continue;
      most = length;
      break;
    }
  }
  return most;
}

/**
 * Hand output on without the secrets in it, wherever chunks begin and end. Only what may be the beginning of a secret is
 * held back, until more comes.
 * @returns `onOutput` to be called instead, and `end` for what is held back when the command has ended
 */
export function hideSecrets(secrets: readonly string[], onOutput: Output): { onOutput: Output; end: () => void } {
  // The longest first: one secret may be the beginning of another.
  const wanted = secrets.map(bytesOf).toSorted((a, b) => b.length - a.length);
  const held = { stdout: "", stderr: "" };
  const send = (stream: "stdout" | "stderr", text: string): void => {
    if (text !== "") onOutput(stream, Buffer.from(text, "latin1"));
  };
  return {
    onOutput: (stream, chunk) => {
      let text = held[stream] + Buffer.from(chunk).toString("latin1");
      for (const secret of wanted) text = text.replaceAll(secret, INSTEAD);
      const keep = openEnd(text, wanted);
      held[stream] = text.slice(text.length - keep);
      send(stream, text.slice(0, text.length - keep));
    },
    end: () => {
      for (const stream of ["stdout", "stderr"] as const) {
        send(stream, held[stream]);
        held[stream] = "";
      }
    },
  };
}

/** The same for a command's output where it is listened to and there is something to hide. */
export function hiddenOutput(
  { onOutput }: { readonly onOutput?: Output },
  secrets: readonly string[],
): ReturnType<typeof hideSecrets> | undefined {
  return onOutput === undefined || secrets.length === 0 ? undefined : hideSecrets(secrets, onOutput);
}
