#!/usr/bin/env bash
# Publishes tests/NativeConv.AotProgram ahead of time and compares it with the just-in-time build: no warnings, the same bits, quick to start, small.
# Then the same without an instruction set named, which only says how much slower that is. Needs a linker: clang, or gcc as here where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
project=tests/NativeConv.AotProgram
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
linker=()
command -v clang > /dev/null || linker=(-p:CppCompilerAndLinker=gcc)

publish() { # NAME PROPERTIES...
  local name=$1
  shift
  dotnet publish -c Release "$project" -r linux-x64 -p:PublishAot=true "${linker[@]}" "$@" -o "$out/$name" > "$out/$name.log" 2>&1 || { cat "$out/$name.log"; exit 1; }
  if grep -E 'warning|IL[23][0-9]{3}' "$out/$name.log"; then
    echo "Publishing warned."
    exit 1
  fi
}

publish aot
dotnet build -c Release "$project" -o "$out/jit" > "$out/jit.log" 2>&1 || { cat "$out/jit.log"; exit 1; }
echo "Just in time:"
dotnet "$out/jit/NativeConv.AotProgram.dll" > "$out/jit.txt"
echo "Ahead of time, x86-64-v3:"
"$out/aot/NativeConv.AotProgram" > "$out/aot.txt"
diff "$out/jit.txt" "$out/aot.txt" || { echo "The builds differ in bits."; exit 1; }
cat "$out/aot.txt"

size=$(stat -c %s "$out/aot/NativeConv.AotProgram")
echo "$size bytes"
[ "$size" -lt 10000000 ] || { echo "The program is 10 MB or more."; exit 1; }
# The best of ten starts: a busy machine only ever adds.
best=1000000000
for _ in 1 2 3 4 5 6 7 8 9 10; do
  from=$(date +%s%N)
  "$out/aot/NativeConv.AotProgram" start 2> /dev/null
  took=$(($(date +%s%N) - from))
  [ "$took" -ge "$best" ] || best=$took
done
echo "starts and ends in $((best / 1000)) microseconds"
[ "$best" -lt 50000000 ] || { echo "Starting takes 50 ms or more."; exit 1; }

if [ "${1:-}" = --all ]; then
  publish default -p:InstructionSet=none
  echo "Ahead of time, no instruction set named (other bits: no fused multiply-add):"
  "$out/default/NativeConv.AotProgram"
fi
