// @ts-check
/** The command line: one table of verbs, one kind of flag table, exit codes 0, 1 and 2. */
import { readFileSync, writeFileSync } from 'node:fs';
import { terminal, wrap } from './plot.mjs';
import { adding } from './verbs/adding.mjs';
import { closed } from './verbs/closed.mjs';
import { companiesVerb } from './verbs/companies.mjs';
import { doctor } from './verbs/doctor.mjs';
import { explain } from './verbs/explain.mjs';
import { gradients } from './verbs/gradients.mjs';

/**
 * @typedef {object} Flag
 * @property {'number' | 'whole' | 'choice' | 'text' | 'switch'} type
 * @property {string} help
 * @property {number | string} [value]     what it is when not given
 * @property {number} [least] @property {number} [most]      for numbers
 * @property {string[]} [choices]
 *
 * @typedef {object} Outcome
 * @property {boolean} ok                  false is exit code 1
 * @property {object} result               what --json prints
 * @property {() => string} [svg]
 *
 * @typedef {object} Verb
 * @property {string} name @property {string} summary @property {string[]} about
 * @property {Record<string, Flag>} flags
 * @property {boolean} picture             whether --svg means anything
 * @property {(options: any, term: import('./plot.mjs').Terminal) => Outcome} run
 */

/** @type {Verb[]} */
const verbs = [explain, companiesVerb, adding, gradients, closed, doctor];

/** @type {Record<string, Flag>} */
const everywhere = {
  json: { type: 'switch', help: 'print one JSON document and nothing else' },
  svg: { type: 'text', help: 'also write the picture to FILE' },
  ascii: { type: 'switch', help: 'plain letters only (the default without a UTF-8 locale)' },
  help: { type: 'switch', help: 'this text' },
};

/** What the user did wrong, as opposed to what went wrong. */
class UsageError extends Error {}

const version = () =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

/** @param {string} name @param {Flag} flag @param {string} text */
function parse(name, flag, text) {
  if (flag.type === 'text') return text;
  if (flag.type === 'choice') {
    if (flag.choices?.includes(text)) return text;
    throw new UsageError(`--${name} must be ${flag.choices?.join(' or ')}, not "${text}"`);
  }
  const { least = -Infinity, most = Infinity } = flag;
  const value = text.trim() === '' ? NaN : Number(text);
  const kind = flag.type === 'whole' ? 'a whole number' : 'a number';
  const fits = flag.type === 'whole' ? Number.isInteger(value) : Number.isFinite(value);
  if (!fits || value < least || value > most) {
    throw new UsageError(`--${name} must be ${kind} from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

/** @param {Record<string, Flag>} flags @param {string[]} args @param {string} command */
function options(flags, args, command) {
  /** @type {Record<string, any>} */
  const out = {};
  for (const [name, { value }] of Object.entries(flags)) if (value !== undefined) out[name] = value;
  for (let k = 0; k < args.length; k++) {
    const arg = args[k] === '-h' ? '--help' : args[k];
    const [name, given] = arg.startsWith('--') ? arg.slice(2).split(/=(.*)/s) : [''];
    if (!name) throw new UsageError(`"${arg}" is one word too many for ${command}`);
    if (name === 'svg' && !flags.svg) {
      const drawing = verbs.filter((v) => v.picture).map((v) => v.name);
      throw new UsageError(`${command} draws no picture; ${drawing.join(', ')} do`);
    }
    if (!Object.hasOwn(flags, name)) {
      const known = Object.keys(flags).map((flag) => `--${flag}`).join(' ');
      throw new UsageError(`${command} has no flag --${name}; it has ${known}`);
    }
    const flag = flags[name];
    if (flag.type === 'switch') {
      if (given !== undefined) throw new UsageError(`--${name} takes no value`);
      out[name] = true;
      continue;
    }
    // A value may begin with a minus sign (--x -10) but may not be another flag.
    const text = given ?? args[++k];
    if (text === undefined || text === '' || text.startsWith('--')) {
      throw new UsageError(`--${name} needs a value`);
    }
    out[name] = parse(name, flag, text);
  }
  return out;
}

/** @param {Verb} verb @returns {Record<string, Flag>} */
function flagsOf(verb) {
  const { svg, ...rest } = everywhere;
  return { ...verb.flags, ...(verb.picture ? { svg, ...rest } : rest) };
}

function shortHelp() {
  const rows = verbs.map((v) => `  lstm-demo ${v.name.padEnd(11)}${v.summary}`);
  return [
    'An LSTM to read, to check against a published example and to train in seconds.',
    '',
    ...rows,
    '',
    'Start with explain, then adding. VERB --help lists the flags of a verb;',
    '--version prints the version. Exit codes: 0 fine, 1 failed, 2 wrong usage.',
    '',
  ].join('\n');
}

/** @param {Verb} verb */
function longHelp(verb) {
  const rows = Object.entries(flagsOf(verb)).map(([name, flag]) => {
    const kind = { number: 'N', whole: 'N', text: 'FILE', choice: flag.choices?.join('|'), switch: '' };
    const preset = flag.value === undefined ? '' : ` [${flag.value}]`;
    return `  ${`--${name} ${kind[flag.type]}`.padEnd(18)} ${flag.help}${preset}`;
  });
  return [`lstm-demo ${verb.name}: ${verb.summary}`, '', ...wrap(verb.about.join(' '), 78), '', ...rows, ''].join('\n');
}

/** @param {NodeJS.ProcessEnv} env */
const isUtf8 = (env) => /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

/**
 * @param {string[]} args
 * @param {object} host               process, or what stands for it in a test
 * @param {{ isTTY?: boolean, write: (text: string) => unknown }} host.stdout
 * @param {{ write: (text: string) => unknown }} host.stderr
 * @param {NodeJS.ProcessEnv} host.env
 * @returns {number} the exit code
 */
export function main(args, { stdout, stderr, env }) {
  const json = args.includes('--json');
  /** @param {string} message @param {number} code */
  const fail = (message, code) => {
    if (json) stdout.write(`${JSON.stringify({ error: message })}\n`);
    stderr.write(`lstm-demo: ${message}\n`);
    return code;
  };
  try {
    const [first, ...rest] = args;
    if (first === undefined || ['--help', '-h', 'help'].includes(first)) {
      stdout.write(shortHelp());
      return 0;
    }
    if (first === '--version') {
      stdout.write(`lstm-demo ${version()}\n`);
      return 0;
    }
    const verb = verbs.find(({ name }) => name === first);
    if (!verb) {
      const names = verbs.map(({ name }) => name).join(', ');
      throw new UsageError(`there is no verb "${first}"; there are ${names}`);
    }
    const given = options(flagsOf(verb), rest, verb.name);
    if (given.help) {
      stdout.write(longHelp(verb));
      return 0;
    }
    const colour = Boolean(stdout.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb';
    const unicode = !given.ascii && isUtf8(env);
    const write = (/** @type {string} */ text) => void stdout.write(text);
    const term = terminal({ write, colour, unicode, silent: Boolean(given.json) });
    const { ok, result, svg } = verb.run(given, term);
    if (given.svg && svg) {
      try {
        writeFileSync(given.svg, svg());
      } catch (error) {
        return fail(`cannot write ${given.svg}: ${/** @type {Error} */ (error).message}`, 1);
      }
      term.line();
      term.line(`  The picture is in ${given.svg}`);
    }
    if (given.json) stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return ok ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) return fail(`${error.message}\nTry: lstm-demo --help`, 2);
    throw error; // a mistake in this program: show where
  }
}
