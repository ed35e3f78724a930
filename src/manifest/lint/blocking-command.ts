import { operandsOf, programOf } from "../shell-commands.ts";
import type { ShellCommand } from "../shell-commands.ts";

const SERVERS =
  /^(?:uvicorn|gunicorn|hypercorn|daphne|waitress-serve|nodemon|live-server|http-server|serve|json-server|redis-server|mongod|mysqld|postgres|nginx|httpd|caddy|traefik|jupyter|jupyter-lab|streamlit|gradio|ollama|celery|air|mailpit|syncthing)$/u;
const OPENERS = /^(?:open|xdg-open|start|explorer|code|vim|vi|nano|emacs|less|more|top|htop|watch|read|select)$/u;
const SCRIPT_RUNNERS = /^(?:npm|pnpm|yarn|bun)$/u;
const SERVER_SCRIPT = /^(?:start|dev|serve|preview|watch|develop)(?::|$)/u;

/**
 * Why a command does not come to an end by itself: it is a server, an editor, or waits for somebody. Completes a sentence
 * that begins with the command; undefined for any other.
 */
export function blockingReason(command: ShellCommand): string | undefined {
  const program = programOf(command);
  const { words } = command;
  const [verb, second] = operandsOf(command);
  if (command.ending === "&" || words[0] === "nohup") return "goes on in the background";
  if (SERVERS.test(program) && !words.some((word) => /^--?(?:version|help|V|h)$/u.test(word))) return "is a server";
  if (OPENERS.test(program)) return "waits for somebody";
  if (SCRIPT_RUNNERS.test(program)) {
    const script = verb === "run" ? second : verb;
    if (script !== undefined && SERVER_SCRIPT.test(script)) return "starts a server";
  }
  if (/^python[0-9.]*$/u.test(program)) {
    if (words.includes("http.server") || words.includes("runserver")) return "is a server";
  }
  if ((program === "flask" && verb === "run") || (program === "rails" && (verb === "server" || verb === "s")))
    return "is a server";
  if (program === "docker" || program === "podman" || program === "docker-compose") {
    const runs = verb === "run" || verb === "exec";
    if (runs && words.some((word) => /^-[a-z]*i?t[a-z]*$|^--(?:interactive|tty)$/u.test(word)))
      return "waits for somebody";
    const isUp =
      program === "docker-compose" ? verb === "up" : verb === "run" || (verb === "compose" && second === "up");
    if (isUp) return "starts a container";
  }
  if (
    (program === "systemctl" || program === "service" || program === "launchctl") &&
    /^(?:start|restart|enable|load)$/u.test(verb ?? "")
  )
    return "starts a service";
  return undefined;
}
