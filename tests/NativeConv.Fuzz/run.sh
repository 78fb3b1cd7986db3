#!/usr/bin/env bash
# Fuzzes one reader: tests/NativeConv.Fuzz/run.sh TARGET [SECONDS], with the targets idx, gzip, gzip-stream, model, graph, checkpoint, state, onnx and hdf5. Needs afl++
# (Debian's afl++) and SharpFuzz's tool (dotnet tool install --global SharpFuzz.CommandLine). What crashes a reader lies in artifacts/fuzz/TARGET/default/crashes afterwards.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$1 seconds=${2:-3600}
out=artifacts/fuzz
rm -rf "$out/bin" "$out/seeds-$target" "$out/$target"
dotnet publish -c Release tests/NativeConv.Fuzz -o "$out/bin" -v quiet
# Before the instruments are in, which need the fuzzer's memory.
dotnet "$out/bin/NativeConv.Fuzz.dll" "$target" --seeds "$out/seeds-$target"
# The readers alone: kernels would only slow it down.
sharpfuzz "$out/bin/NativeConv.dll" NativeConv.Data NativeConv.Serialization NativeConv.ModelFile NativeConv.TrainingStateFile NativeConv.LayerConfiguration NativeConv.ModelBuilder
sharpfuzz "$out/bin/NativeConv.Onnx.dll"
sharpfuzz "$out/bin/NativeConv.Keras.dll"
sharpfuzz "$out/bin/PureHDF.dll"
export AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1
afl-fuzz -V "$seconds" -t 10000 -m none -i "$out/seeds-$target" -o "$out/$target" -- dotnet "$out/bin/NativeConv.Fuzz.dll" "$target"
grep -E "execs_done|saved_crashes|saved_hangs|edges_found" "$out/$target/default/fuzzer_stats"
