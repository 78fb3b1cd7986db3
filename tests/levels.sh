#!/usr/bin/env bash
# Runs the tests of all that computes with ever fewer instruction sets. NATIVECONV_EXPECT_LEVEL names the widest level that
# is left (where the hardware has it): SimdLevelsTests fails where a switch did nothing.
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
unset NATIVECONV_SIMD
# Fewer geometries than with all instruction sets: compiling kernels takes most of their time.
export NATIVECONV_GEOMETRIES=${NATIVECONV_GEOMETRIES:-2000}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# run LEVEL SWITCH TESTS...: the tests whose names start so, with a switch set to 0.
run() {
  local level=$1 switch=$2 names
  shift 2
  names=$(printf '|FullyQualifiedName~NativeConv.Tests.%s' "$@")
  echo "$switch=0, widest level $level:"
  dotnet test -c Release --no-build tests/NativeConv.Tests --filter "${names#|}" -e "$switch=0" -e "NATIVECONV_EXPECT_LEVEL=$level" > "$log" 2>&1 || failed=1
  # A filter that finds nothing is no success.
  grep -q '^Passed!' "$log" || { failed=1; cat "$log"; }
  grep -E '^(Passed|Failed)!' "$log"
}

dotnet build -c Release tests/NativeConv.Tests -v quiet || exit 1
run 256 DOTNET_EnableAVX512 Simd. Numerics. Kernels. Operators. Losses. Optimizers. Graph.
run 128 DOTNET_EnableAVX2 Simd. Numerics. Kernels. Operators. Losses. Optimizers. Graph.
# 128 bits without AVX's masked loads: what a default ahead-of-time build and other architectures run.
run 128 DOTNET_EnableAVX Simd. Numerics. Kernels. Operators.
# Without any intrinsic there is one level, and it is slow.
run scalar DOTNET_EnableHWIntrinsic Simd. Numerics. Kernels.Guarded. Operators.GoldenOperatorTests.
exit $failed
