#!/usr/bin/env python3
"""Writes the test files of this folder: models and weights in Keras 3's layout, and expected.json, an input and the output for each.

Keras did not make them: its saving library is described in code (keras/src/saving/saving_lib.py), and Debian's python3-h5py writes what it would write. The outputs are
computed by Debian's python3-torch from the same numbers, another implementation than the one under test. Padding "same" is TensorFlow's: the odd cell at bottom and right.
"""
import io
import json
import os
import zipfile

import h5py
import numpy as np
import torch
import torch.nn.functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(7)


def values(*shape, low=-0.5, high=0.5):
    return random.uniform(low, high, shape).astype(np.float32)


def layer(kind, name, inbound=None, **config):
    described = {"module": "keras.layers", "class_name": kind, "config": {"name": name, "trainable": True, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}, **config}, "registered_name": None}
    if inbound is not None:
        tensors = [{"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": [source, 0, 0]}} for source in inbound]
        arguments = [] if not tensors else [tensors[0]] if len(tensors) == 1 else [tensors]
        described["name"] = name
        described["inbound_nodes"] = [{"args": arguments, "kwargs": {}}] if tensors else []
    return described


def conv(filters, size, strides=(1, 1), padding="same", dilation=(1, 1), groups=1, use_bias=True, activation="linear", **more):
    return dict(filters=filters, kernel_size=list(size), strides=list(strides), padding=padding, data_format="channels_last", dilation_rate=list(dilation),
                groups=groups, activation=activation, use_bias=use_bias, kernel_initializer={"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}}, **more)


def depthwise(size, multiplier, strides=(1, 1), padding="same", dilation=(1, 1), use_bias=True, activation="linear", **more):
    return dict(kernel_size=list(size), strides=list(strides), padding=padding, depth_multiplier=multiplier, data_format="channels_last", dilation_rate=list(dilation),
                activation=activation, use_bias=use_bias, **more)


def write_weights(target, layers):
    """The groups of one layer each, with the variables by number; a dropout also has its generator's state."""
    with h5py.File(target, "w") as file:
        file.create_group("vars")
        for name, variables in layers.items():
            group = file.create_group(f"layers/{name}/vars")
            for number, value in enumerate(variables):
                group[str(number)] = value
            if name.startswith("dropout"):
                file.create_group(f"layers/{name}/seed_generator/vars")["0"] = np.array([1, 2], dtype=np.uint32)
        file.create_group("optimizer/vars")["0"] = np.int64(12)


def write_archive(path, config, layers):
    weights = io.BytesIO()
    write_weights(weights, layers)
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in [("metadata.json", json.dumps({"keras_version": "3.0.0", "date_saved": "2024-01-01@00:00:00"}).encode()), ("config.json", json.dumps(config).encode()), ("model.weights.h5", weights.getvalue())]:
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), contents)


def same(x, size, strides, dilation, value=0.0):
    pads = []
    for length, kernel, stride, rate in reversed(list(zip(x.shape[2:], size, strides, dilation))):
        total = max((-(-length // stride) - 1) * stride + (kernel - 1) * rate + 1 - length, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def run_conv(x, kernel, bias=None, strides=(1, 1), padding="same", dilation=(1, 1), groups=1):
    if padding == "same":
        x = same(x, kernel.shape[:2], strides, dilation)
    return F.conv2d(x, torch.tensor(kernel).permute(3, 2, 0, 1), None if bias is None else torch.tensor(bias), strides, 0, dilation, groups)


def run_depthwise(x, kernel, bias=None, **more):
    rows, columns, channels, multiplier = kernel.shape
    return run_conv(x, kernel.reshape(rows, columns, 1, channels * multiplier), bias, groups=channels, **more)


def run_norm(x, gamma, beta, mean, variance, epsilon):
    return F.batch_norm(x, torch.tensor(mean), torch.tensor(variance), None if gamma is None else torch.tensor(gamma), None if beta is None else torch.tensor(beta), False, 0.0, epsilon)


def flat(x):
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)


# A Sequential model.
w = {
    "conv2d": [values(3, 5, 2, 6), values(6)],
    "batch_normalization": [values(6, low=0.5, high=1.5), values(6), values(6), values(6, low=0.5, high=2)],
    "depthwise_conv2d": [values(3, 3, 6, 2), values(12)],
    "conv2d_1": [values(2, 3, 6, 8)],
    "batch_normalization_1": [values(8), values(8), values(8, low=0.5, high=2)],
    "separable_conv2d": [values(3, 3, 8, 1), values(1, 1, 8, 5), values(5)],
    "dropout": [],
    "dense": [values(2 * 2 * 5, 7), values(7)],
    "dense_1": [values(7, 4), values(4)],
}
sequential = [
    layer("InputLayer", "image", batch_shape=[None, 9, 8, 2], sparse=False),
    layer("Rescaling", "rescaling", scale=0.25, offset=-0.5),
    layer("Conv2D", "first", **conv(6, (3, 5), strides=(2, 1))),
    layer("BatchNormalization", "normal", axis=-1, momentum=0.9, epsilon=0.001, center=True, scale=True),
    layer("Activation", "swish", activation="silu"),
    layer("DepthwiseConv2D", "each", **depthwise((3, 3), 2, dilation=(2, 2), activation="relu6")),
    layer("Conv2D", "grouped", **conv(8, (2, 3), padding="valid", groups=2, use_bias=False)),
    layer("BatchNormalization", "unscaled", axis=-1, momentum=0.99, epsilon=0.01, center=True, scale=False),
    layer("ReLU", "rectify", max_value=None, negative_slope=0.0, threshold=0.0),
    layer("SeparableConv2D", "apart", **conv(5, (3, 3), activation="tanh", depth_multiplier=1)),
    layer("MaxPooling2D", "pool", pool_size=[2, 2], padding="valid", strides=[2, 2], data_format="channels_last"),
    layer("AveragePooling2D", "mean", pool_size=[2, 3], padding="same", strides=[1, 2], data_format="channels_last"),
    layer("Flatten", "flatten", data_format="channels_last"),
    layer("Dropout", "drop", rate=0.5, seed=None, noise_shape=None),
    layer("Dense", "hidden", units=7, activation="gelu", use_bias=True),
    layer("Dense", "scores", units=4, activation="softmax", use_bias=True),
]
x = random.uniform(-1, 1, (3, 9, 8, 2)).astype(np.float32)
y = torch.tensor(x).permute(0, 3, 1, 2) * 0.25 - 0.5
y = run_conv(y, *w["conv2d"], strides=(2, 1))
y = F.silu(run_norm(y, *w["batch_normalization"], 0.001))
y = F.relu6(run_depthwise(y, *w["depthwise_conv2d"], dilation=(2, 2)))
y = run_conv(y, *w["conv2d_1"], padding="valid", groups=2)
y = F.relu(run_norm(y, None, *w["batch_normalization_1"], 0.01))
y = torch.tanh(run_conv(run_depthwise(y, w["separable_conv2d"][0]), *w["separable_conv2d"][1:]))
y = F.max_pool2d(y, 2)
ones = same(torch.ones_like(y), (2, 3), (1, 2), (1, 1))
y = F.avg_pool2d(same(y, (2, 3), (1, 2), (1, 1)), (2, 3), (1, 2)) / F.avg_pool2d(ones, (2, 3), (1, 2))
y = F.gelu(flat(y) @ torch.tensor(w["dense"][0]) + torch.tensor(w["dense"][1]))
logits = y @ torch.tensor(w["dense_1"][0]) + torch.tensor(w["dense_1"][1])
config = {"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "trainable": True, "dtype": "float32", "layers": sequential, "build_input_shape": [None, 9, 8, 2]},
          "registered_name": None, "build_config": {"input_shape": [None, 9, 8, 2]}, "compile_config": None}
write_archive(os.path.join(FOLDER, "sequential.keras"), config, w)
expected = {"sequential": {"images": x.ravel().tolist(), "logits": logits.numpy().ravel().tolist(), "probabilities": torch.softmax(logits, 1).numpy().ravel().tolist()}}

# A functional model: a residual sum, squeeze-and-excitation, two branches joined. Its layers stand in an order in which some come before what they read.
v = {
    "input_layer": [],
    "conv2d": [values(3, 3, 1, 6), values(6)],
    "conv2d_1": [values(3, 3, 6, 6), values(6)],
    "dense": [values(6, 2), values(2)],
    "dense_1": [values(2, 6), values(6)],
    "conv2d_2": [values(1, 1, 6, 3), values(3)],
    "dense_2": [values(9, 5), values(5)],
}
functional = [
    layer("InputLayer", "input_layer", [], batch_shape=[None, 6, 7, 1], sparse=False),
    layer("Conv2D", "stem", ["input_layer"], **conv(6, (3, 3), activation="elu")),
    layer("Conv2D", "deep", ["stem"], **conv(6, (3, 3))),
    layer("LeakyReLU", "leak", ["deep"], negative_slope=0.01),
    layer("Add", "sum", ["leak", "stem"]),
    layer("Multiply", "scaled", ["shape", "sum"]),
    layer("GlobalAveragePooling2D", "squeeze", ["sum"], data_format="channels_last", keepdims=False),
    layer("Dense", "reduce", ["squeeze"], units=2, activation="relu", use_bias=True),
    layer("Dense", "expand", ["reduce"], units=6, activation="hard_sigmoid", use_bias=True),
    layer("Reshape", "shape", ["expand"], target_shape=[1, 1, 6]),
    layer("Conv2D", "narrow", ["scaled"], **conv(3, (1, 1), activation="hard_silu")),
    layer("Concatenate", "join", ["scaled", "narrow"], axis=-1),
    layer("GlobalAveragePooling2D", "average", ["join"], data_format="channels_last", keepdims=False),
    layer("Dense", "scores", ["average"], units=5, activation="sigmoid", use_bias=True),
]
x = random.uniform(-1, 1, (2, 6, 7, 1)).astype(np.float32)
stem = F.elu(run_conv(torch.tensor(x).permute(0, 3, 1, 2), *v["conv2d"]))
total = F.leaky_relu(run_conv(stem, *v["conv2d_1"]), 0.01) + stem
gate = F.relu(total.mean((2, 3)) @ torch.tensor(v["dense"][0]) + torch.tensor(v["dense"][1]))
gate = F.hardsigmoid(gate @ torch.tensor(v["dense_1"][0]) + torch.tensor(v["dense_1"][1]))
scaled = total * gate[:, :, None, None]
joined = torch.cat([scaled, F.hardswish(run_conv(scaled, *v["conv2d_2"]))], 1).mean((2, 3))
scores = torch.sigmoid(joined @ torch.tensor(v["dense_2"][0]) + torch.tensor(v["dense_2"][1]))
config = {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "functional", "trainable": True, "layers": functional, "input_layers": [["input_layer", 0, 0]], "output_layers": [["scores", 0, 0]]},
          "registered_name": "Functional", "build_config": {"input_shape": None}, "compile_config": None}
write_archive(os.path.join(FOLDER, "functional.keras"), config, v)
expected["functional"] = {"images": x.ravel().tolist(), "outputs": scores.numpy().ravel().tolist()}

# Weights in HDF5's newer format, enough layers for its groups to be indexed.
with h5py.File(os.path.join(FOLDER, "newer.weights.h5"), "w", libver="latest") as file:
    for number in range(12):
        group = file.create_group(f"layers/dense_{number}/vars" if number else "layers/dense/vars", track_order=False)
        group["0"] = np.full((1, 1), number, np.float32)

# Files made to harm: values that lie in another file, and a link to itself.
with h5py.File(os.path.join(FOLDER, "elsewhere.weights.h5"), "w") as file:
    file.create_dataset("layers/dense/vars/0", shape=(1, 1), dtype="f4", external=[("elsewhere.bin", 0, 4)])
with h5py.File(os.path.join(FOLDER, "loop.weights.h5"), "w") as file:
    file.create_group("layers/dense/vars")["0"] = h5py.SoftLink("/layers/dense/vars/0")
with h5py.File(os.path.join(FOLDER, "packed.weights.h5"), "w") as file:
    file.create_dataset("layers/dense/vars/0", data=np.zeros((64, 64), np.float32), chunks=(8, 8), compression="gzip")
with h5py.File(os.path.join(FOLDER, "shared.weights.h5"), "w") as file:
    first = file.create_dataset("layers/dense/vars/0", data=np.zeros((64, 64), np.float32))
    for number in range(1, 8):
        file.create_group(f"layers/dense_{number}/vars")["0"] = first

# Weights alone.
write_weights(os.path.join(FOLDER, "sequential.weights.h5"), w)
with open(os.path.join(FOLDER, "expected.json"), "w") as file:
    json.dump(expected, file)
