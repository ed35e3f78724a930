// @ts-check
/**
 * A small assembler for WebAssembly: as much of it as fast-kernel.mjs needs, written from the
 * specification (webassembly.github.io/spec/core/binary). No binary is kept anywhere: the bytes of
 * the kernel are made here, each time, from a text that can be read.
 *
 * Code is a list of bytes, in which lists may be nested. An expression is code that leaves one
 * value on the stack; an instruction takes the code of its operands and puts its own bytes behind
 * it. So f32x4.add(a, b) is [a, b, opcode], and expressions nest as they do in JavaScript. Types
 * are not checked here: the engine checks every module before it runs it.
 *
 * @typedef {(number | Code)[]} Code
 * @typedef {'i32' | 'v128'} Type
 * @typedef {{ get: Code, set: (value: Code) => Code }} Local
 */

const typeCodes = { i32: 0x7f, v128: 0x7b };

/** Numbers are written seven bits a byte, the lowest first (LEB128). @param {number} n */
function unsigned(n) {
  const bytes = [];
  for (; n > 0x7f; n = Math.floor(n / 128)) bytes.push((n % 128) | 0x80);
  return [...bytes, n];
}

/** The same for numbers with a sign, which is bit 6 of the last byte. @param {number} n */
function signed(n) {
  const bytes = [];
  for (; n < -64 || n > 63; n >>= 7) bytes.push((n & 0x7f) | 0x80);
  return [...bytes, n & 0x7f];
}

/** @param {Code} code @param {number[]} [into] */
function flatten(code, into = []) {
  for (const part of code) {
    if (typeof part === 'number') into.push(part);
    else flatten(part, into);
  }
  return into;
}

/** Instructions on two operands. @param {number[]} opcode */
const binary = (...opcode) => (/** @type {Code} */ a, /** @type {Code} */ b) => [a, b, opcode];

/** Vector instructions have a prefix. @param {number} n */
const simd = (n) => [0xfd, ...unsigned(n)];

/** Instructions that read at address + offset; align is a power of two, and only a hint.
 * @param {number[]} opcode @param {number} align */
const load = (opcode, align) => (/** @type {Code} */ address, offset = 0) =>
  [address, opcode, align, unsigned(offset)];

/** @param {number[]} opcode @param {number} align @returns {(address: Code, value: Code, offset?: number) => Code} */
const store = (opcode, align) => (address, value, offset = 0) =>
  [address, value, opcode, align, unsigned(offset)];

/** Whole numbers: addresses and counters. */
export const i32 = {
  /** @param {number} n @returns {Code} */
  const: (n) => [0x41, signed(n)],
  add: binary(0x6a),
};

/** One float32: only to put the lanes of a vector together. */
export const f32 = {
  add: binary(0x92),
  store: store([0x38], 2),
};

/** Four float32 side by side. */
export const f32x4 = {
  load: load(simd(0x00), 4),
  /** One number from memory, four times. */
  loadSplat: load(simd(0x09), 2),
  store: store(simd(0x0b), 4),
  /** The same number four times. @param {number} value @returns {Code} */
  const(value) {
    const four = new DataView(new ArrayBuffer(16));
    for (let lane = 0; lane < 4; lane++) four.setFloat32(lane * 4, value, true);
    return [simd(0x0c), [...new Uint8Array(four.buffer)]];
  },
  add: binary(...simd(0xe4)),
  sub: binary(...simd(0xe5)),
  mul: binary(...simd(0xe6)),
  div: binary(...simd(0xe7)),
  /** The smaller and the larger; a first operand that is not a number stays. */
  pmin: binary(...simd(0xea)),
  pmax: binary(...simd(0xeb)),
  /** @param {Code} a @param {number} lane @returns {Code} */
  lane: (a, lane) => [a, simd(0x1f), lane],
};

/** The same 128 bits, taken for four whole numbers. */
export const i32x4 = {
  add: binary(...simd(0xae)),
  /** @param {Code} a @param {number} bits @returns {Code} */
  shiftLeft: (a, bits) => [a, i32.const(bits), simd(0xab)],
};

/**
 * Runs the body `times` times, at least once. Pointers are set before and moved after each run.
 * @param {(type: 'i32') => Local} local
 * @param {number} times
 * @param {[pointer: Local, from: Code, step: number][]} pointers
 * @param {Code} body @returns {Code}
 */
export function repeat(local, times, pointers, body) {
  const left = local('i32');
  return [
    left.set(i32.const(times)),
    pointers.map(([pointer, from]) => pointer.set(from)),
    [0x03, 0x40], // loop, which leaves nothing on the stack
    body,
    pointers.map(([pointer, , step]) => pointer.set(i32.add(pointer.get, i32.const(step)))),
    left.set(i32.add(left.get, i32.const(-1))),
    left.get, [0x0d, 0x00], // not zero: again
    0x0b, // end
  ];
}

/**
 * A module with one memory and some functions that take nothing and return nothing: all they work
 * on is in the memory. Each is built with a maker of local variables.
 * @param {object} what
 * @param {number} what.bytes           size of the memory; it is exported as "memory"
 * @param {Record<string, (local: (type: Type) => Local) => Code>} what.functions    by exported name
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function assemble({ bytes, functions }) {
  const names = Object.keys(functions);
  const bodies = names.map((name) => {
    /** @type {Code} */
    const locals = [];
    const body = functions[name]((type) => {
      const number = unsigned(locals.length);
      locals.push([1, typeCodes[type]]); // one variable of this type
      return { get: [0x20, number], set: (value) => [value, 0x21, number] };
    });
    return sized([unsigned(locals.length), locals, body, 0x0b]);
  });
  const text = (/** @type {string} */ word) => sized([...new TextEncoder().encode(word)]);
  /** A section: its number, its size, how many entries, the entries. @param {number} id @param {Code[]} entries @returns {Code} */
  const section = (id, entries) => [id, sized([unsigned(entries.length), ...entries])];
  return Uint8Array.from(flatten([
    [0x00, 0x61, 0x73, 0x6d], [1, 0, 0, 0], // "\0asm", version 1
    section(1, [[0x60, 0, 0]]), // types: one, a function from nothing to nothing
    section(3, names.map(() => [0])), // functions: each of this type
    section(5, [[0x00, unsigned(Math.ceil(bytes / 65536))]]), // memory, in pages
    section(7, [ // exports: the memory, and each function by its name
      [text('memory'), 0x02, 0],
      ...names.map((name, k) => [text(name), 0x00, unsigned(k)]),
    ]),
    section(10, bodies), // code
  ]));
}

/** Code behind its length. @param {Code} code @returns {Code} */
function sized(code) {
  const flat = flatten(code);
  return [unsigned(flat.length), flat];
}
