#!/usr/bin/env bash
# On x64: the library on Arm64, under emulation. A self-contained linux-arm64 program compares every golden case and trains three networks, which must get the same bits as on x64.
# Needs Debian's qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross; without them it says so
# and ends with 77. The runtime's makers do not support this emulator, and two of its habits end in a segmentation fault now and then there: methods recompiled beside their use,
# and code written through a second mapping of its pages. Both are off; results do not depend on either.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_TieredCompilation=0 DOTNET_EnableWriteXorExecute=0 QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
unset NATIVECONV_SIMD

if ! command -v qemu-aarch64-static > /dev/null || [ ! -e "$QEMU_LD_PREFIX/lib/libstdc++.so.6" ]; then
  echo "Skipped: no emulator. apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross."
  exit 77
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
dotnet build -c Release tests/NativeConv.PortableProgram -v quiet
dotnet publish -c Release -r linux-arm64 --self-contained tests/NativeConv.PortableProgram -o "$folder/arm64" -v quiet
program=(qemu-aarch64-static "$folder/arm64/NativeConv.PortableProgram")

"${program[@]}" level | tee "$folder/level"
# 128 bits are what Arm64 has, and its multiply-add is fused.
grep -q '^Arm64, compiled just in time, Vector128, fused multiply-add: True$' "$folder/level"
"${program[@]}" golden
"${program[@]}" bits "$folder/bits" 2
dotnet tests/NativeConv.PortableProgram/bin/Release/net10.0/NativeConv.PortableProgram.dll bits "$folder/expected" 1
(cd "$folder/expected" && sha256sum -- *) > "$folder/sums"
cat "$folder/sums"
(cd "$folder/bits" && sha256sum --check --strict "$folder/sums")
