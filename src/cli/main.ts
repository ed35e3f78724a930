import { EXIT, IpmError, isIpmError } from "../core/errors.ts";
import type { Emit, IpmEvent } from "../core/events.ts";
import { escapeUntrusted, redactCredentials } from "../core/untrusted-text.ts";
import type { Ask, Context, Prompts } from "../usecases/context.ts";
import { splitArguments } from "./arguments.ts";
import {
  type Answer,
  type CommandSpec,
  type ContextOptions,
  DEFAULT_LOCK_TIMEOUT_MS,
  type Installation,
  Invocation,
  type Session,
} from "./command.ts";
import { isPlan } from "./is-plan.ts";
import { createJsonReporter } from "./reporters/json.ts";
import { createNdjsonReporter } from "./reporters/ndjson.ts";
import { createPlainReporter } from "./reporters/plain.ts";
import type { Reporter } from "./reporters/reporter.ts";
import { createSilentReporter } from "./reporters/silent.ts";
import { createTheme, type Theme } from "./render/theme.ts";
import { chooseSettings, type Environment, type Settings, widthOf } from "./settings.ts";
import { type SignalWatch, watchSignals } from "./signals.ts";
import { type Output, processStreams, type Streams } from "./streams.ts";

declare const IPM_VERSION: string | undefined;

/** Replaced by the build; sources that run as they are have no version. */
const VERSION = typeof IPM_VERSION === "string" ? IPM_VERSION : "0.0.0";
const MOST_COMMAND_CHARACTERS = 300;

/** A word of a command line without the value that `--set` gives: it may be a secret. */
function withoutValue(word: string, before: string | undefined): string {
  const flag = before === "--set" ? "" : "--set=";
  return word.startsWith(flag) ? `${flag}${word.slice(flag.length).replace(/=[\s\S]*$/u, "=...")}` : word;
}

/** The command line as receipts, generations and locks record it: one line, bounded, without passwords and secrets. */
export function recordedCommand(argv: readonly string[]): string {
  const words = argv.map((word, index) => withoutValue(word, argv[index - 1]));
  const text = ["ipm", ...words].map((word) => redactCredentials(escapeUntrusted(word))).join(" ");
  return text.length <= MOST_COMMAND_CHARACTERS ? text : `${text.slice(0, MOST_COMMAND_CHARACTERS)}...`;
}

async function createReporter(
  settings: Settings,
  streams: Streams,
  env: Environment,
  asksAboutUnverified: boolean,
): Promise<Reporter> {
  if (settings.reporter === "json") return createJsonReporter(streams.stdout);
  if (settings.reporter === "ndjson") return createNdjsonReporter(streams.stdout);
  if (settings.reporter === "plain") return createPlainReporter(streams.stderr, settings.verbose);
  if (settings.reporter === "silent") return createSilentReporter();
  const { createTtyReporter } = await import("./reporters/tty.ts");
  return createTtyReporter(streams.stderr, {
    color: settings.color.stderr,
    unicode: settings.unicode,
    verbose: settings.verbose,
    asksAboutUnverified,
    width: () => widthOf(streams.stderr, env),
    now: () => performance.now(),
  });
}

/** One run of the command line, from its arguments to its exit code. */
class Run {
  readonly #argv: readonly string[];
  readonly #streams: Streams;
  readonly #env: Environment;
  readonly #installation: Installation;
  readonly #settings: Settings;
  readonly #split: ReturnType<typeof splitArguments>;
  #reporter: Reporter = createSilentReporter();
  #answersWithPlan = false;
  /** Plans that have not been shown whole yet, by `name@version`. */
  readonly #plans = new Map<string, unknown>();
  readonly #signals: SignalWatch;

  constructor(argv: readonly string[], streams: Streams, env: Environment, installation: Installation) {
    this.#argv = argv;
    this.#streams = streams;
    this.#env = env;
    this.#installation = installation;
    this.#split = splitArguments(argv);
    this.#settings = chooseSettings(this.#split.globals, env, streams);
    this.#signals = watchSignals(
      (says) =>
        this.#emit({ type: "warning", code: "STOPPING", message: `${says}: stopping; once more stops at once` }),
      () => this.#reporter.stop(),
    );
  }

  #theme(output: Output): Theme {
    return createTheme({
      color: output === this.#streams.stdout ? this.#settings.color.stdout : this.#settings.color.stderr,
      unicode: this.#settings.unicode,
      // A pipe on stderr is somebody's log: lines that were broken for a screen cannot be searched.
      width:
        output === this.#streams.stderr && !output.isTerminal ? Number.POSITIVE_INFINITY : widthOf(output, this.#env),
    });
  }

  #emit: Emit = (event: IpmEvent) => {
    if (event.type === "plan.ready") {
      if (this.#answersWithPlan && this.#settings.reporter !== "ndjson") return;
      this.#plans.set(event.tool, event.plan);
    }
    this.#reporter.emit(event);
  };

  #ask(): Ask | null {
    if (!this.#settings.canAsk) return null;
    return (question) =>
      this.#paused(async (theme) => {
        const { confirm } = await import("./ask.ts");
        const { renderPlan } = await import("./render/plan.ts");
        // Nobody can agree to a plan that was told in a line: what the question is about is shown whole first.
        for (const [tool, plan] of this.#plans) {
          if (!question.text.includes(tool) || !isPlan(plan)) continue;
          this.#plans.delete(tool);
          this.#streams.stderr.write(`\n${renderPlan(plan, theme).join("\n")}\n\n`);
        }
        return confirm(question, this.#streams, theme, this.#signals.signal);
      });
  }

  /** Ask somebody while nothing else is drawn. */
  async #paused<T>(ask: (theme: Theme) => Promise<T>): Promise<T> {
    this.#reporter.pause();
    try {
      return await ask(this.#theme(this.#streams.stderr));
    } finally {
      this.#reporter.resume();
    }
  }

  #prompts(): Prompts | null {
    if (!this.#settings.canAsk) return null;
    return {
      text: (question) =>
        this.#paused(async (theme) => {
          const { askText } = await import("./ask.ts");
          return askText(question, this.#streams, theme, this.#signals.signal);
        }),
      choose: (question) =>
        this.#paused(async (theme) => {
          const { choose } = await import("./choose.ts");
          return choose(question, this.#streams, theme, this.#signals.signal);
        }),
    };
  }

  async #openContext({ writes, lockTimeoutMs, answersWithPlan = false }: ContextOptions): Promise<Context> {
    this.#answersWithPlan = answersWithPlan;
    const { openContext } = await import("./composition.ts");
    const argv = this.#argv;
    return openContext({
      env: this.#env,
      emit: this.#emit,
      ask: this.#ask(),
      prompts: this.#prompts(),
      signals: this.#signals,
      ipmVersion: this.#installation.version,
      root: this.#installation.root,
      get command() {
        return recordedCommand(argv);
      },
      lockTimeoutMs: lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
      offline: this.#split.globals.offline,
      writes,
    });
  }

  #session(): Session {
    return {
      globals: this.#split.globals,
      settings: this.#settings,
      streams: this.#streams,
      env: this.#env,
      installation: this.#installation,
      openContext: (options) => this.#openContext(options),
    };
  }

  async #runCommand(spec: CommandSpec, invocation: Invocation): Promise<Answer> {
    this.#emit({ type: "run.started", v: 1, command: spec.name });
    return spec.run(this.#session(), invocation);
  }

  /** Nothing but what was asked for is loaded: `--version` and `list` are answered without commander. */
  async #answer(): Promise<Answer> {
    const { globals, rest, problem } = this.#split;
    if (problem !== null) throw problem;
    if (globals.version) {
      const { version } = this.#installation;
      return { result: { version }, render: () => [version] };
    }
    if (this.#installation.platform === "win32") {
      throw new IpmError("PLATFORM_UNSUPPORTED", "ipm does not run on Windows yet: use it inside WSL");
    }
    if (rest.length === 1 && rest[0] === "list" && !globals.help) {
      const { listCommand } = await import("./commands/list.ts");
      return this.#runCommand(listCommand, new Invocation("list"));
    }
    if (rest[0] === "__complete") {
      const { completeCommand } = await import("./complete.ts");
      return this.#runCommand(
        completeCommand,
        new Invocation(
          "__complete",
          rest.slice(1).filter((word, index) => index > 0 || word !== "--"),
        ),
      );
    }
    if (!globals.help && rest.length > 1) {
      const { findFrequentCommand } = await import("./frequent-commands.ts");
      const frequent = findFrequentCommand(rest);
      if (frequent !== undefined) return this.#runCommand(frequent.spec, frequent.invocation);
    }
    const { parseCommandLine } = await import("./program.ts");
    const parsed = await parseCommandLine(rest, globals.help);
    if (parsed.kind === "command") return this.#runCommand(parsed.spec, parsed.invocation);
    const { renderHelp } = await import("./render/help.ts");
    const text = (theme: Theme): readonly string[] => renderHelp(parsed.specs, parsed.about, theme);
    return {
      result: { help: text(createTheme({ color: false, unicode: false, width: 80 })).join("\n") },
      render: text,
    };
  }

  #answersInJson(): boolean {
    return this.#split.globals.json || this.#settings.reporter === "json" || this.#settings.reporter === "ndjson";
  }

  /** The last event. A reporter that tells the story on stderr does not take the document of `--json` away. */
  #finish(event: Extract<IpmEvent, { readonly type: "run.finished" }>): void {
    this.#reporter.emit(event);
    this.#reporter.stop();
    const { reporter } = this.#settings;
    if (this.#split.globals.json && reporter !== "json" && reporter !== "ndjson")
      createJsonReporter(this.#streams.stdout).emit(event);
  }

  #succeed(answer: Answer): number {
    this.#finish({ type: "run.finished", ok: true, result: answer.result });
    if (!this.#answersInJson()) {
      const lines = answer.render(this.#theme(this.#streams.stdout));
      if (lines.length > 0) this.#streams.stdout.write(`${lines.join("\n")}\n`);
    }
    return answer.exitCode ?? EXIT.ok;
  }

  /** What a thrown value means to the user; a bug is one of these too, with all that a report needs in `data`. */
  #toIpmError(error: unknown): IpmError {
    // Whatever an interrupted piece of work throws on its way out, it was interrupted.
    if (this.#signals.stopped !== null) return this.#signals.stopped;
    if (isIpmError(error)) return error;
    return new IpmError("BUG", error instanceof Error ? error.message : String(error), {
      hint: "report this to the project's issue tracker, with all of `data`",
      data: {
        ipm: this.#installation.version,
        node: process.versions.node,
        platform: `${this.#installation.platform}-${process.arch}`,
        command: recordedCommand(this.#argv),
        stack: error instanceof Error ? (error.stack ?? "") : "",
      },
      cause: error,
    });
  }

  /** The exit code of a failure, after telling it. Telling can fail too: ipm's own files may have been replaced. */
  async #fail(thrown: unknown): Promise<number> {
    const error = this.#toIpmError(thrown);
    try {
      await this.#tell(error);
    } catch (second) {
      const why = second instanceof Error ? second.message : String(second);
      this.#streams.stderr.write(`error[${error.code}]: ${escapeUntrusted(error.message)}\n`);
      this.#streams.stderr.write(`it could not be told in full: ${escapeUntrusted(why)}\n`);
    }
    return error.exitCode;
  }

  async #tell(error: IpmError): Promise<void> {
    const { describeError, renderError } = await import("./render/error.ts");
    this.#finish({ type: "run.finished", ok: false, error: describeError(error) });
    if (!this.#answersInJson()) {
      this.#streams.stderr.write(`${renderError(error, this.#theme(this.#streams.stderr)).join("\n")}\n`);
    }
  }

  async #crash(thrown: unknown): Promise<void> {
    process.exit(await this.#fail(thrown));
  }

  async run(): Promise<number> {
    this.#reporter = await createReporter(
      this.#settings,
      this.#streams,
      this.#env,
      this.#settings.canAsk && !this.#split.rest.includes("--allow-unverified"),
    );
    // A promise that nobody waits for is a bug as well, and must not end in Node's own words and exit code.
    const crash = (error: unknown): void => {
      void this.#crash(error);
    };
    process.on("uncaughtException", crash);
    try {
      return this.#succeed(await this.#answer());
    } catch (error) {
      return await this.#fail(error);
    } finally {
      process.off("uncaughtException", crash);
      this.#signals.end();
      this.#reporter.stop();
    }
  }
}

/**
 * The command line: arguments in, exit code out. The only place where errors end and where a process may be ended.
 * @param argv without node and script
 */
export async function main(
  argv: readonly string[],
  streams: Streams,
  env: Environment,
  installation: Installation,
): Promise<number> {
  return new Run(argv, streams, env, installation).run();
}

/**
 * `main` for this process.
 * @param root the package's folder
 * @returns the exit code
 */
export async function runProcess(root: string): Promise<number> {
  const streams = processStreams();
  const installation = { version: VERSION, root, platform: process.platform };
  return main(process.argv.slice(2), streams, process.env, installation);
}
