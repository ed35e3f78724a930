#!/usr/bin/env python3
"""The worked example, the two companies and the training, in Python's standard library alone.

A second program for the same numbers: written from the equations, not from the JavaScript, so that
an error in one of them shows as a difference. The two agree to eight decimals. Needs Python 3.9 or
newer; tried with 3.11.

    f = sigmoid(wh*h + wx*x + b)   forget gate       c = f*c' + i*g   long-term memory
    i = sigmoid(...)               input gate        h = o*tanh(c)    short-term memory, the output
    g = tanh(...)                  candidate
    o = sigmoid(...)               output gate
"""
import argparse
import json
import math
import pathlib
import platform
import sys

# Published by StatQuest, rows f, i, g, o: the weight of h, the weight of x, the bias.
PUBLISHED = [[2.70, 1.63, 1.62], [2.00, 1.65, 0.62], [1.41, 0.94, -0.32], [4.38, -0.19, 0.59]]
GATES = ["forget", "input", "candidate", "output"]
# Two made-up sequences that differ on day 1 only, and what should be said after day 4.
COMPANIES = {"A": ([0.0, 0.5, 0.25, 1.0], 0.0), "B": ([1.0, 0.5, 0.25, 1.0], 1.0)}


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0  # exp(710) is more than a float can hold


def one_step(w, x, h, c):
    """One step of the cell, every intermediate result by name."""
    zf, zi, zg, zo = (wh * h + wx * x + b for wh, wx, b in w)
    forget, candidate, inp, output = sigmoid(zf), math.tanh(zg), sigmoid(zi), sigmoid(zo)
    kept, added = forget * c, inp * candidate
    c = kept + added
    squashed = math.tanh(c)
    return {"zf": zf, "forget": forget, "kept": kept, "zg": zg, "candidate": candidate, "zi": zi,
            "input": inp, "added": added, "c": c, "squashed": squashed, "zo": zo, "output": output,
            "h": output * squashed}


def run(w, days):
    """The steps over all days, from an empty memory."""
    h, c, steps = 0.0, 0.0, []
    for x in days:
        step = one_step(w, x, h, c)
        steps.append((x, h, c, step))
        h, c = step["h"], step["c"]
    return steps


def answer(w, name):
    return run(w, COMPANIES[name][0])[-1][3]["h"]


def normals(seed, count):
    """torch.randn on the CPU for fewer than 16 values: MT19937, 53 bits, Box-Muller, cosine first."""
    state = [seed & 0xFFFFFFFF]
    for k in range(1, 624):
        state.append((1812433253 * (state[-1] ^ state[-1] >> 30) + k) & 0xFFFFFFFF)

    def words():
        while True:
            for k in range(624):
                y = state[k] & 0x80000000 | state[(k + 1) % 624] & 0x7FFFFFFF
                state[k] = state[(k + 397) % 624] ^ y >> 1 ^ (0x9908B0DF if y & 1 else 0)
            for y in list(state):
                y ^= y >> 11
                y ^= y << 7 & 0x9D2C5680
                y ^= y << 15 & 0xEFC60000
                yield y ^ y >> 18

    word, out = words(), []
    while len(out) < count:
        high, low = next(word), next(word)
        angle = 2 * math.pi * ((high & 0x1FFFFF) * 2**32 + low) / 2**53
        high, low = next(word), next(word)
        radius = math.sqrt(-2 * math.log1p(-((high & 0x1FFFFF) * 2**32 + low) / 2**53))
        out += [radius * math.cos(angle), radius * math.sin(angle)]
    return out[:count]


def gradient(w, days, target):
    """The chain rule by hand, last day first."""
    steps = run(w, days)
    grad = [[0.0] * 3 for _ in range(4)]
    dh, dc = 2 * (steps[-1][3]["h"] - target), 0.0
    for x, h, c, s in reversed(steps):
        dc += dh * s["output"] * (1 - s["squashed"] ** 2)
        dz = [dc * c * s["forget"] * (1 - s["forget"]),
              dc * s["candidate"] * s["input"] * (1 - s["input"]),
              dc * s["input"] * (1 - s["candidate"] ** 2),
              dh * s["squashed"] * s["output"] * (1 - s["output"])]
        for row, d in zip(grad, dz):
            row[0] += d * h
            row[1] += d * x
            row[2] += d
        dh = sum(d * row[0] for d, row in zip(dz, w))
        dc *= s["forget"]
    return grad


def train(seed=42, epochs=5000, rate=0.001):
    """Adam on A, then B. Returns the weights and the answers at some epochs."""
    z = normals(seed, 8)
    w = [[z[2 * k], z[2 * k + 1], 0.0] for k in range(4)]
    mean, square = ([[0.0] * 3 for _ in range(4)] for _ in range(2))
    curve, step = [{"epoch": 0, "A": answer(w, "A"), "B": answer(w, "B")}], 0
    for epoch in range(1, epochs + 1):
        for days, target in COMPANIES.values():
            step += 1
            grad = gradient(w, days, target)
            correct1, correct2 = 1 - 0.9**step, 1 - 0.999**step
            for r in range(4):
                for k in range(3):
                    d = grad[r][k]
                    mean[r][k] = 0.9 * mean[r][k] + 0.1 * d
                    square[r][k] = 0.999 * square[r][k] + 0.001 * d * d
                    w[r][k] -= rate * (mean[r][k] / correct1) / (
                        math.sqrt(square[r][k] / correct2) + 1e-8)
        if epoch % 1000 == 0:
            curve.append({"epoch": epoch, "A": answer(w, "A"), "B": answer(w, "B")})
    return w, curve


def explain(args):
    step = one_step(PUBLISHED, args.x, args.h, args.c)
    away = one_step(PUBLISHED, -10, 1, 2)
    lines = [f"  x = {args.x:g}, h = {args.h:g}, c = {args.c:g}", ""]
    lines += [f"  {key:<10}{value:>14.6f}" for key, value in step.items()]
    lines += ["", "Seen: one step of the cell is six lines of arithmetic."]
    return True, lines, {
        "verb": "explain", "start": {"x": args.x, "h": args.h, "c": args.c}, "exact": step,
        "minusTen": {"asSum": {"sigmoid": sigmoid(-10), "tanh": math.tanh(-10)},
                     "asInput": {k: away[k] for k in ("forget", "input", "candidate", "c")}}}


def companies(args):
    w, curve = train(args.seed) if args.train else (PUBLISHED, None)
    lines, result = [], {"verb": "companies", "weights": w, "companies": []}
    if curve:
        result["training"] = {"seed": args.seed, "updates": 10000, "epochs": curve}
        lines += ["  gate            h           x        bias"]
        lines += [f"  {g:<9}" + "".join(f"{v:12.8f}" for v in row) for g, row in zip(GATES, w)] + [""]
    for name, (days, target) in COMPANIES.items():
        steps = run(w, days)
        result["companies"].append({
            "name": name, "next": target, "answer": steps[-1][3]["h"],
            "days": [{"day": k, "x": x, "f": s["forget"], "i": s["input"], "g": s["candidate"],
                      "o": s["output"], "c": s["c"], "h": s["h"]}
                     for k, (x, _, _, s) in enumerate(steps, 1)]})
        lines += [f"  company {name}, day {k}:  c {s['c']:9.6f}  h {s['h']:9.6f}"
                  for k, (_, _, _, s) in enumerate(steps, 1)]
    last_a, last_b = (one["answer"] for one in result["companies"])
    lines += ["", "Seen: three days after the only difference the cell still tells B from A." if last_b - last_a > 0.6
              else "Seen: from this start 5,000 epochs were not enough to tell B from A."]
    return True, lines, result


def doctor(_):
    """Compares with golden values that the JavaScript holds too, written down here once more."""
    step = one_step(PUBLISHED, 1, 1, 2)
    checks = [("worked example", abs(step["input"] - 0.986211) < 1e-6 and abs(step["h"] - 0.986229) < 1e-6,
               f"h = {step['h']:.6f}")]
    last = answer(PUBLISHED, "A"), answer(PUBLISHED, "B")
    checks.append(("companies", abs(last[0] - 0.006393) < 1e-6 and abs(last[1] - 0.969393) < 1e-6,
                   f"A {last[0]:.6f}, B {last[1]:.6f}"))
    w, _curve = train()
    same = sum(f"{v:.2f}" == f"{p:.2f}" for row, want in zip(w, PUBLISHED) for v, p in zip(row, want))
    checks.append(("training", same == 12, f"retrained {same}/12 weights"))
    ok = all(good for _, good, _ in checks)
    lines = [f"  {'ok  ' if good else 'FAIL'}  {name:<16}{found}" for name, good, found in checks]
    lines += ["", f"  Python {platform.python_version()}, standard library", "",
              "Seen: all checks hold." if ok else "Seen: a check failed: do not trust this copy or machine."]
    return ok, lines, {"verb": "doctor", "ok": ok,
                       "checks": [{"name": n, "ok": good, "found": f} for n, good, f in checks]}


def number(least, most, whole=False):
    """A parser for numbers in a range; nan and infinity are in none."""
    def parse(text):
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            kind = "a whole number" if whole else "a number"
            raise argparse.ArgumentTypeError(f"must be {kind} from {least} to {most}, not {text!r}")
        return value
    return parse


def main():
    version = json.loads((pathlib.Path(__file__).resolve().parent.parent / "package.json").read_text("utf-8"))
    parser = argparse.ArgumentParser(prog="lstm-demo", description=(
        "The worked example of an LSTM, two companies and the training of twelve weights. "
        "This is the Python part of the demo; adding, gradients and closed need Node."))
    parser.add_argument("--version", action="version", version=f"lstm-demo {version['version']}")
    verbs = parser.add_subparsers(dest="verb", metavar="explain | companies | doctor")
    for name, verb in (("explain", explain), ("companies", companies), ("doctor", doctor)):
        sub = verbs.add_parser(name, help={"explain": "one step of the cell", "doctor": "check this copy",
                                           "companies": "two sequences; --train learns the weights"}[name])
        sub.set_defaults(run=verb)
        sub.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        if verb is explain:
            for key, value in (("x", 1), ("h", 1), ("c", 2)):
                sub.add_argument(f"--{key}", type=number(-1000, 1000), default=value, metavar="N")
        if verb is companies:
            sub.add_argument("--train", action="store_true", help="learn the twelve weights again")
            sub.add_argument("--seed", type=number(0, 2**32 - 1, True), default=42, metavar="N")
    args = parser.parse_args()
    if not args.verb:
        parser.print_help()
        return 0
    ok, lines, result = args.run(args)
    print(json.dumps(result, indent=2) if args.json else "\n".join(lines))
    return 0 if ok else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # a reader that has seen enough, as with `| head`
        sys.stderr.close()
