// @ts-check
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { main } from '../src/cli.mjs';

const bin = fileURLToPath(new URL('../bin/lstm-demo.mjs', import.meta.url));

/**
 * The command in this process, with streams that are not a terminal: much faster than starting
 * Node for every line of the tables below.
 * @param {string[]} args @param {Record<string, string>} [env]
 */
function run(args, env = { LANG: 'C.UTF-8' }, isTTY = false) {
  let [stdout, stderr] = ['', ''];
  const status = main(args, {
    stdout: { isTTY, write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env,
  });
  return { status, stdout, stderr };
}

const verbs = [
  ['explain'], ['explain', '--x', '-10'], ['explain', '--x', '-1000', '--h', '-1000', '--c', '-1000'], ['companies'],
  ['companies', '--train'], ['adding', '--T', '10'], ['adding', '--T', '10', '--cell', 'rnn'],
  ['gradients', '--T', '10'], ['closed'], ['doctor'],
];

for (const args of verbs) {
  test(`${args.join(' ')}: 80 columns, plain letters without UTF-8, a closing sentence`, () => {
    const { status, stdout, stderr } = run(args, { LANG: 'C' });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    assert.match(stdout, /^[\x20-\x7e\n]*$/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(stdout, /\n {2}Seen: /);
  });

  test(`${args.join(' ')} --json: one document`, () => {
    const { status, stdout } = run([...args, '--json']);
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).verb, args[0]);
  });
}

test('colour for a terminal only, and not with NO_COLOR', () => {
  const utf8 = { LANG: 'C.UTF-8' };
  assert.match(run(['explain'], utf8, true).stdout, /\x1b\[1m/);
  assert.doesNotMatch(run(['explain'], utf8, false).stdout, /\x1b/);
  assert.doesNotMatch(run(['explain'], { ...utf8, NO_COLOR: '1' }, true).stdout, /\x1b/);
  assert.match(run(['companies'], utf8).stdout, /█/);
  assert.doesNotMatch(run(['companies', '--ascii'], utf8).stdout, /█/);
});

test('the command itself: output, exit codes, a closed pipe', () => {
  const start = (/** @type {string} */ line) => spawnSync('sh', ['-c', line], { encoding: 'utf8', env: { node: process.execPath, bin } });
  assert.match(start('"$node" "$bin" explain').stdout, /0\.986211/);
  assert.equal(start('"$node" "$bin" explain --x banana').status, 2);
  assert.equal(start('"$node" "$bin" explain | :').stderr, '');
});

test('explain --json holds the exact input gate', () => {
  assert.match(run(['explain', '--json']).stdout, /"input": 0\.98621101/);
});

test('doctor: the line that an installer looks for', () => {
  assert.match(run(['doctor']).stdout, /retrained 12\/12 weights/);
});

test('the same seed gives the same answer', () => {
  const [one, two] = [1, 2].map(() => JSON.parse(run(['adding', '--T', '10', '--seed', '5', '--json']).stdout));
  assert.deepEqual({ ...one, ms: 0 }, { ...two, ms: 0 });
});

test('--svg: one file, no script, for light and for dark', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lstm-demo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const args of [['companies'], ['adding', '--T', '10'], ['gradients', '--T', '10']]) {
    const file = join(folder, `${args[0]}.svg`);
    assert.equal(run([...args, '--svg', file]).status, 0);
    const svg = readFileSync(file, 'utf8');
    assert.match(svg, /^<svg [^]*<\/svg>\n$/);
    assert.match(svg, /prefers-color-scheme:dark/);
    assert.doesNotMatch(svg, /<script|href|url\(|@font-face|NaN|undefined/);
  }
  const { status, stderr } = run(['companies', '--svg', join(folder, 'none', 'x.svg')]);
  assert.equal(status, 1);
  assert.match(stderr, /cannot write/);
});

/** @type {[string[], RegExp][]} */
const wrong = [
  [['nope'], /no verb "nope"; there are explain/],
  [['explain', '--x', 'banana'], /--x must be a number from -1000 to 1000, not "banana"/],
  [['explain', '--x', ''], /--x needs a value/],
  [['explain', '--x'], /--x needs a value/],
  [['explain', '--x', '--json'], /--x needs a value/],
  [['explain', '--x', 'Infinity'], /--x must be a number/],
  [['explain', 'more'], /"more" is one word too many/],
  [['explain', '--svg', 'x.svg'], /explain draws no picture; companies, adding, gradients do/],
  [['explain', '--wat'], /explain has no flag --wat; it has --x/],
  [['explain', '--toString'], /no flag --toString/],
  [['adding', '--T', '0'], /--T must be a whole number from 10 to 400, not "0"/],
  [['adding', '--T', '1e9'], /--T must be a whole number from 10 to 400, not "1e9"/],
  [['adding', '--T', '12.5'], /--T must be a whole number/],
  [['adding', '--cell', 'gru'], /--cell must be lstm or rnn, not "gru"/],
  [['adding', '--seed', '-1'], /--seed must be a whole number from 0/],
  [['closed', '--json=yes'], /--json takes no value/],
];
for (const [args, message] of wrong) {
  test(`lstm-demo ${args.join(' ')}: exit code 2 and a clear message`, () => {
    const { status, stdout, stderr } = run(args);
    assert.equal(status, 2);
    assert.match(stdout, args.includes('--json') ? /^\{"error":".*"\}\n$/ : /^$/);
    assert.match(stderr, message);
  });
}

test('help, version, no verb', () => {
  const help = run([]);
  assert.equal(help.status, 0);
  assert.deepEqual(run(['--help']), help);
  for (const [verb] of verbs) {
    assert.match(help.stdout, new RegExp(`lstm-demo ${verb} `));
    const { stdout } = run([verb, '--help']);
    assert.match(stdout, new RegExp(`^lstm-demo ${verb}: `));
    for (const line of (help.stdout + stdout).split('\n')) assert.ok(line.length <= 80, line);
  }
  assert.match(run(['--version']).stdout, /^lstm-demo \d+\.\d+\.\d+\n$/);
});
