"""The anchor recipe in numpy, for test/bench/lstm.mjs: the adding problem, T steps, H units.

Written to be fast: the whole batch in one matrix product a step, x and the gradients of the weights
in one product for all steps. Reads the number of training steps from its input, line by line, and
answers with the seconds that they took; "error" asks for the mean squared error on unseen sequences.
"""

import sys
import time

import numpy as np

T, H, N, RATE = 100, 8, 32, 0.01
random = np.random.default_rng(1)


def adding(count):
    """x: T x count x 2 (value, marker); y: the sum of the two marked values."""
    x = np.zeros((T, count, 2))
    x[:, :, 0] = random.random((T, count))
    rows = np.arange(count)
    first, second = random.integers(0, T // 2, count), random.integers(T // 2, T, count)
    x[first, rows, 1] = x[second, rows, 1] = 1
    return x, x[first, rows, 0] + x[second, rows, 0]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


limit = np.sqrt(3 / H)
R = random.uniform(-limit, limit, (H, 4 * H))  # columns: f, i, o, g
W = random.uniform(-limit, limit, (2, 4 * H))
b = np.zeros(4 * H)
b[:H] = 1  # forget bias
V = random.uniform(-limit, limit, H)
a = np.zeros(1)
parameters = [R, W, b, V, a]
means = [np.zeros_like(p) for p in parameters]
squares = [np.zeros_like(p) for p in parameters]
taken = 0


def forward(x):
    count = x.shape[1]
    gates = np.empty((T, count, 4 * H))
    c, s, h = np.zeros((T + 1, count, H)), np.empty((T, count, H)), np.zeros((T + 1, count, H))
    z_of_x = x @ W + b
    for t in range(T):
        z = z_of_x[t] + h[t] @ R
        y = gates[t]
        y[:, : 3 * H] = sigmoid(z[:, : 3 * H])
        y[:, 3 * H :] = np.tanh(z[:, 3 * H :])
        c[t + 1] = y[:, :H] * c[t] + y[:, H : 2 * H] * y[:, 3 * H :]
        s[t] = np.tanh(c[t + 1])
        h[t + 1] = y[:, 2 * H : 3 * H] * s[t]
    return gates, c, s, h


def gradients(x, y):
    gates, c, s, h = forward(x)
    d = 2 * (h[T] @ V + a - y) / N
    dV, da = d @ h[T], np.array([d.sum()])
    dh, dc = np.outer(d, V), np.zeros((N, H))
    dz = np.empty_like(gates)
    for t in reversed(range(T)):
        f, i, o, g = (gates[t][:, k * H : (k + 1) * H] for k in range(4))
        dc += dh * o * (1 - s[t] * s[t])
        out = dz[t]
        out[:, :H] = dc * c[t]
        out[:, H : 2 * H] = dc * g
        out[:, 2 * H : 3 * H] = dh * s[t]
        out[:, : 3 * H] *= gates[t][:, : 3 * H] * (1 - gates[t][:, : 3 * H])
        out[:, 3 * H :] = dc * i * (1 - g * g)
        dc *= f
        dh = out @ R.T
    flat = dz.reshape(T * N, 4 * H)
    return [h[:T].reshape(T * N, H).T @ flat, x.reshape(T * N, 2).T @ flat, flat.sum(0), dV, da]


def train():
    global taken
    taken += 1
    grads = gradients(*adding(N))
    scale = min(1, 1 / np.sqrt(sum(np.sum(g * g) for g in grads)))
    for p, g, mean, square in zip(parameters, grads, means, squares):
        g = g * scale
        mean += 0.1 * (g - mean)
        square += 0.001 * (g * g - square)
        p -= RATE * (mean / (1 - 0.9**taken)) / (np.sqrt(square / (1 - 0.999**taken)) + 1e-8)


print(f"numpy {np.__version__}", flush=True)
for line in sys.stdin:
    if line.strip() == "error":
        x, y = adding(1000)
        print(np.mean((forward(x)[3][T] @ V + a - y) ** 2), flush=True)
        continue
    began = time.perf_counter()
    for _ in range(int(line)):
        train()
    print(time.perf_counter() - began, flush=True)
