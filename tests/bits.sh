#!/usr/bin/env bash
# The same bits from every process: three networks are trained for twenty steps, saved, loaded and asked, each time in a process of its own, on 1, 2, 3 and 8 threads and at
# every vector width that the machine accelerates. What they leave has one SHA-256. Without fused multiply-add the widths agree within the golden values' bounds instead: tests/levels.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
unset NATIVECONV_SIMD

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
dotnet build -c Release tests/NativeConv.PortableProgram -v quiet
program=(dotnet tests/NativeConv.PortableProgram/bin/Release/net10.0/NativeConv.PortableProgram.dll)
failed=0
expected=

# check WHAT THREADS: a process, and the SHA-256 of what it leaves.
check() {
  "${program[@]}" bits "$folder/run" "$2" > "$folder/log" || { cat "$folder/log"; failed=1; return; }
  local sums
  sums=$(cd "$folder/run" && sha256sum -- *)
  rm -r "$folder/run"
  if [ -z "$expected" ]; then
    expected=$sums
    echo "$sums"
  fi
  if [ "$sums" = "$expected" ]; then
    echo "$1: the same ($(cat "$folder/log"))"
  else
    printf '%s: OTHER BITS (%s)\n%s\n' "$1" "$(cat "$folder/log")" "$sums"
    failed=1
  fi
}

check "1 thread" 1
for threads in 1 2 3 8; do
  check "another process, $threads threads" "$threads"
done
if "${program[@]}" level | grep -q 'fused multiply-add: True'; then
  for level in 512 256 128 scalar; do
    export NATIVECONV_SIMD=$level
    if "${program[@]}" level > /dev/null 2>&1; then
      check "$level" 2
    else
      echo "$level: not accelerated here"
    fi
  done
fi
exit $failed
