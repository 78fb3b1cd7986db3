#!/usr/bin/env python3
"""Writes state_dict.safetensors, the weights of a small PyTorch network, and expected.safetensors, an input (rows, columns, channels) and PyTorch's own output for it.

Debian's python3-torch is all it needs: the safetensors format is a length, a JSON header and the values, written here by hand as the safetensors package does, names sorted.
"""
import json
import os
import struct

import torch
from torch import nn


def save(path, tensors):
    types = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16"}
    header, data = {}, b""
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        values = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes()
        header[name] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


torch.manual_seed(1)
network = nn.Sequential(
    nn.Conv2d(2, 6, (3, 5), padding=(1, 2), bias=False), nn.BatchNorm2d(6), nn.ReLU(),
    nn.Conv2d(6, 12, 3, padding=1, groups=6), nn.Conv2d(12, 8, 1), nn.SiLU(),
    nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2), nn.MaxPool2d(2), nn.Dropout(0.5),
    nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.LeakyReLU(),
    nn.Flatten(), nn.BatchNorm1d(8 * 3 * 4), nn.GELU(), nn.Linear(8 * 3 * 4, 7), nn.Tanh(), nn.Linear(7, 5),
)
for module in network:
    if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.uniform_(module.bias, -1, 1)
        module.running_mean.uniform_(-1, 1)
        module.running_var.uniform_(0.5, 2)
        module.num_batches_tracked.fill_(3)
network.eval()
images = torch.randn(3, 2, 6, 8)
with torch.no_grad():
    outputs = network(images)
folder = os.path.dirname(os.path.abspath(__file__))
save(os.path.join(folder, "state_dict.safetensors"), network.state_dict())
save(os.path.join(folder, "expected.safetensors"), {"images": images.permute(0, 2, 3, 1), "outputs": outputs})
