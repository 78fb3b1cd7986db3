#!/usr/bin/env bash
# Publishes tests/NativeConv.AotProgram for Arm64 with its runtime, runs it in an emulator and compares its lines, hashes of the trained weights among them,
# with those of this machine. Needs Debian's qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross; takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
command -v qemu-aarch64-static > /dev/null || { echo "There is no qemu-aarch64-static: apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross"; exit 2; }
project=tests/NativeConv.AotProgram
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
dotnet publish -c Release "$project" -r linux-arm64 --self-contained -o "$out/arm64" > "$out/log" 2>&1 || { cat "$out/log"; exit 1; }
dotnet run -c Release --project "$project" > "$out/here.txt"
qemu-aarch64-static -L /usr/aarch64-linux-gnu "$out/arm64/NativeConv.AotProgram" > "$out/arm64.txt"
diff "$out/here.txt" "$out/arm64.txt" || { echo "Arm64 gives other bits."; exit 1; }
cat "$out/arm64.txt"
