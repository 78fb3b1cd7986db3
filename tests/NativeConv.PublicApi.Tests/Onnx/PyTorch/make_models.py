"""Makes the models beside this file: small networks of PyTorch's, exported to ONNX by PyTorch itself.

    apt-get install python3-torch python3-onnx     (Debian 12: PyTorch 1.13.1)
    /usr/bin/python3 make_models.py

NAME.onnx is the model. NAME.bin holds float32 values, little-endian: three images [3, C, H, W], then what PyTorch computes of
them, in float64 where the network allows it, rounded to float32.
"""

import copy
import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).parent
PRESERVE = torch.onnx.TrainingMode.PRESERVE


def scramble(model):
    """Gives normalizations statistics and parameters that matter."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return model


class LeNet(nn.Module):
    """Convolutions, poolings and dense layers, the image flattened in channel, height, width order."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 5), nn.Tanh(), nn.AvgPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(8 * 5 * 4, 24), nn.Sigmoid(), nn.Dropout(0.3), nn.Linear(24, 10))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class View(LeNet):
    """The same, flattened by the arithmetic with sizes that older code writes."""

    def forward(self, x):
        x = self.features(x)
        return self.classifier(x.view(x.size(0), -1))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // 4, 1)
        self.expand = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x):
        gate = F.adaptive_avg_pool2d(x, 1)
        return x * F.hardsigmoid(self.expand(F.relu(self.reduce(gate))))


class LinearSqueezeExcitation(nn.Module):
    """As most code writes it: the averages go through dense layers and come back as images of one pixel."""

    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(channels, 4), nn.SiLU(), nn.Linear(4, channels), nn.Sigmoid())

    def forward(self, x):
        n, c, _, _ = x.size()
        return x * self.layers(x.mean([2, 3])).view(n, c, 1, 1)


class Mobile(nn.Module):
    """Inverted bottlenecks: pointwise and depthwise convolutions, normalizations, gates, a residual."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.block = nn.Sequential(
            nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
            nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=16, bias=False), nn.BatchNorm2d(16), nn.SiLU(),
            SqueezeExcitation(16), nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.tail = nn.Sequential(
            nn.Conv2d(8, 16, (3, 5), padding=(1, 2), stride=(2, 1), groups=8), nn.BatchNorm2d(16, eps=1e-3, momentum=0.01), nn.ReLU(),
            LinearSqueezeExcitation(16))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        x = self.tail(x + self.block(x))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Residual(nn.Module):
    """A residual network: the shortcut is a strided convolution, the end a mean over height and width."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.a = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.b = nn.Conv2d(12, 12, 3, padding=1)
        self.short = nn.Conv2d(8, 12, 1, stride=2)
        self.head = nn.Linear(12, 7)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = F.leaky_relu(self.b(F.elu(self.a(x))) + self.short(x))
        return self.head(x.mean((2, 3)))


class Joined(nn.Module):
    """Joins of images and of flattened images, pooling that rounds up, groups, an unpadded average at the end."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 4, 3, padding=1)
        self.b = nn.Conv2d(2, 6, 5, padding=2, groups=2)
        self.norm = nn.BatchNorm1d(10 * 3 * 3 + 4 * 4 * 3)
        self.head = nn.Linear(10 * 3 * 3 + 4 * 4 * 3, 6, bias=False)

    def forward(self, x):
        a, b = torch.tanh(self.a(x)), torch.sigmoid(self.b(x))
        joined = F.max_pool2d(torch.cat([a, b], 1), 3, 3, ceil_mode=True)
        averaged = F.avg_pool2d(a, (2, 3), (2, 2))
        flat = torch.cat([joined.reshape(x.shape[0], -1), averaged.flatten(1)], 1)
        return self.head(self.norm(flat))


class Activations(nn.Module):
    """Every activation, each after a convolution of its own, all added up."""

    def __init__(self):
        super().__init__()
        self.functions = [
            F.relu, F.relu6, F.leaky_relu, F.elu, torch.sigmoid, torch.tanh, F.silu, F.hardswish, F.hardsigmoid, F.gelu,
            lambda x: x * F.relu6(x + 3) / 6, lambda x: x * (F.relu6(x + 3) / 6), lambda x: 0.5 * x * (1 + torch.erf(x * 0.5 ** 0.5))]
        self.convolutions = nn.ModuleList(nn.Conv2d(2, 3, 3, padding=1) for _ in self.functions)

    def forward(self, x):
        return sum(function(convolution(x)) for function, convolution in zip(self.functions, self.convolutions))


class Normalized(nn.Module):
    """Raw pixels are scaled, by a number and then channel by channel; a matrix product and a sum instead of a dense layer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.convolution = nn.Conv2d(3, 4, 3, stride=2)
        self.matrix = nn.Parameter(torch.randn(4 * 3 * 2, 5) / 5)
        self.bias = nn.Parameter(torch.randn(5))

    def forward(self, x):
        x = ((x + 2) / 4 - self.mean) / self.deviation
        return torch.flatten(F.relu(self.convolution(x)), 1) @ self.matrix + self.bias


def export(name, model, shape, opset, dynamic=True, **options):
    model = scramble(model).eval()
    images = 4 * torch.rand(3, *shape) - 2
    with torch.no_grad():
        outputs = copy.deepcopy(model).double()(images.double()).float()
    axes = {"input": {0: "batch"}, "output": {0: "batch"}} if dynamic else None
    torch.onnx.export(
        model, images if dynamic else images[:1], FOLDER / f"{name}.onnx", input_names=["input"], output_names=["output"],
        dynamic_axes=axes, opset_version=opset, **options)
    numpy.concatenate([images.numpy().ravel(), outputs.numpy().ravel()]).astype("<f4").tofile(FOLDER / f"{name}.bin")


if __name__ == "__main__":
    torch.manual_seed(1)
    export("lenet", LeNet(), (1, 28, 24), 17)
    export("lenet_opset9", LeNet(), (1, 28, 24), 9)
    export("lenet_fixed_batch", LeNet(), (1, 28, 24), 13, dynamic=False)
    export("view", View(), (1, 28, 24), 12)
    export("mobile_folded", Mobile(), (3, 17, 14), 16)
    export("mobile", Mobile(), (3, 17, 14), 17, training=PRESERVE, do_constant_folding=False)
    export("mobile_opset11", Mobile(), (3, 17, 14), 11, training=PRESERVE)
    export("residual", Residual(), (3, 9, 11), 17)
    export("joined", Joined(), (2, 9, 7), 17)
    export("activations", Activations(), (2, 5, 6), 17)
    export("activations_opset13", Activations(), (2, 5, 6), 13)
    export("normalized", Normalized(), (3, 7, 6), 17)
