"""Makes the cases beside this file out of ONNX' own backend tests, as Debian 12 packages them.

    apt-get install libonnx-testdata python3-onnx
    /usr/bin/python3 make_cases.py

NAME.onnx is the model, every input but the first turned into an initializer. NAME.bin holds float32 values, little-endian: the
input, then the output that the case expects.
"""

import pathlib

import numpy
import onnx
from onnx import numpy_helper

SOURCE = pathlib.Path("/usr/share/libonnx-testdata/data")
FOLDER = pathlib.Path(__file__).parent
CASES = {
    "node": """
        averagepool_2d_ceil averagepool_2d_default averagepool_2d_pads averagepool_2d_precomputed_pads
        averagepool_2d_precomputed_same_upper averagepool_2d_precomputed_strides averagepool_2d_same_lower averagepool_2d_same_upper
        averagepool_2d_strides basic_conv_with_padding basic_conv_without_padding batchnorm_epsilon batchnorm_example celu_expanded
        conv_with_autopad_same conv_with_strides_and_asymmetric_padding conv_with_strides_no_padding conv_with_strides_padding
        gemm_alpha gemm_beta gemm_default_no_bias gemm_default_scalar_bias gemm_default_single_elem_vector_bias
        gemm_default_vector_bias gemm_default_zero_bias gemm_transposeB identity
        matmul_2d maxpool_2d_ceil maxpool_2d_default maxpool_2d_pads maxpool_2d_precomputed_pads maxpool_2d_precomputed_same_upper
        maxpool_2d_precomputed_strides maxpool_2d_same_lower maxpool_2d_same_upper maxpool_2d_strides""",
    "pytorch-converted": """
        AvgPool2d AvgPool2d_stride BatchNorm2d_eval BatchNorm2d_momentum_eval Conv2d Conv2d_depthwise Conv2d_depthwise_padded
        Conv2d_depthwise_strided Conv2d_depthwise_with_multiplier Conv2d_dilated Conv2d_groups Conv2d_groups_thnn Conv2d_no_bias
        Conv2d_padding Conv2d_strided Linear Linear_no_bias MaxPool2d ReLU Sigmoid Tanh""",
    "simple": "single_relu_model",
}


def load(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def make(folder, name):
    model = onnx.load(folder / "model.onnx")
    data = folder / "test_data_set_0"
    given = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in given]
    for index, weight in enumerate(inputs[1:], 1):
        tensor = load(data / f"input_{index}.pb")
        tensor.name = weight
        model.graph.initializer.append(tensor)
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
    values = [numpy_helper.to_array(load(data / file)).ravel() for file in ("input_0.pb", "output_0.pb")]
    numpy.concatenate(values).astype("<f4").tofile(FOLDER / f"{name}.bin")


if __name__ == "__main__":
    for category, names in CASES.items():
        for name in names.split():
            make(SOURCE / category / f"test_{name}", name)
