/**
 * Calls that no build needs and that reach past the namespaces: kernel keyrings are not separated from the caller's (a
 * session keyring is inherited), the others are a way into the kernel. Numbers from the kernel's tables:
 * arch/x86/entry/syscalls, include/uapi/asm-generic/unistd.h, arch/arm/tools/syscall.tbl.
 */
const REFUSED: Readonly<Record<string, readonly { readonly audit: number; readonly calls: readonly number[] }[]>> = {
  x64: [
    // add_key request_key keyctl, bpf, perf_event_open, userfaultfd, io_uring_*, kexec_*, *_module
    { audit: 0xc000_003e, calls: [248, 249, 250, 321, 298, 323, 425, 426, 427, 246, 320, 175, 313, 176] },
    { audit: 0x4000_0003, calls: [286, 287, 288, 357, 336, 374, 425, 426, 427, 283, 128, 350, 129] },
  ],
  arm64: [
    { audit: 0xc000_00b7, calls: [217, 218, 219, 280, 241, 282, 425, 426, 427, 104, 294, 105, 273, 106] },
    { audit: 0x4000_0028, calls: [309, 310, 311, 386, 364, 388, 425, 426, 427, 347, 401, 128, 379, 129] },
  ],
};

// Classic BPF, as seccomp(2) takes it: struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; }, little-endian as both are.
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const RETURN = 0x06;
const OFFSET_NUMBER = 0;
const OFFSET_ARCH = 4;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0000;
const ENOSYS = 38;
/** From here on x86-64 numbers are those of its x32 variant: nothing that is built here uses it. */
const X32 = 0x4000_0000;

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Instruction {
  return { code, ifTrue, ifFalse, value };
}

/** The instructions for one architecture; they fall through when the call is of another one. */
function block(audit: number, calls: readonly number[]): Instruction[] {
  const tests = calls.map((call, index) => instruction(JUMP_IF_EQUAL, call, calls.length - index));
  // tests …, allow, refuse: a test that holds jumps over the rest of them and over "allow".
  const body = [
    instruction(LOAD_WORD, OFFSET_NUMBER),
    ...(audit === 0xc000_003e ? [instruction(JUMP_IF_AT_LEAST, X32, calls.length + 1)] : []),
    ...tests,
    instruction(RETURN, ALLOW),
    instruction(RETURN, ERRNO | ENOSYS),
  ];
  return [instruction(LOAD_WORD, OFFSET_ARCH), instruction(JUMP_IF_EQUAL, audit, 0, body.length), ...body];
}

/**
 * A seccomp filter for `bwrap --seccomp`, or undefined for an architecture whose numbers are not known here. Refused
 * calls fail as if the kernel did not have them, so that programs fall back.
 * @param arch as Node names it
 */
export function seccompFilter(arch: string): Uint8Array | undefined {
  const architectures = REFUSED[arch];
  if (architectures === undefined) return undefined;
  const program = [
    ...architectures.flatMap(({ audit, calls }) => block(audit, calls)),
    instruction(RETURN, ERRNO | ENOSYS),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, ifTrue, ifFalse, value }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
