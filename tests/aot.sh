#!/usr/bin/env bash
# The library in a program compiled ahead of time, for the machine's own instruction set: no warning about trimming or compilation, a small file, a short start, the machine's widest vectors, every golden
# case, and the same bits as just in time from three trainings that are saved, loaded and asked. Then without an instruction set: what such a program loses, against the golden values' bounds.
#
#   tests/aot.sh            both, and how fast steps and predictions are: some minutes, of which the compiler takes the most
#   tests/aot.sh machine    for the machine's instruction set alone
#
# Needs a linker, clang's or gcc's; without one it says so and ends with 77.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
unset NATIVECONV_SIMD
# Instructions of 512 bits are longer, and 32 registers hold larger tiles.
most_bytes=10000000 most_bytes_512=11500000 most_microseconds=50000

if ! command -v clang > /dev/null && ! command -v gcc > /dev/null; then
  echo "Skipped: nothing to link with. apt-get install clang."
  exit 77
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# fail WHAT: said, and remembered.
fail() {
  echo "FAILED: $1"
  failed=1
}

# publish NAME INSTRUCTION_SET: a program in $folder/NAME.
publish() {
  SECONDS=0
  dotnet publish -c Release --use-current-runtime tests/NativeConv.PortableProgram -v quiet -p:PublishAot=true -p:ProgramInstructionSet="$2" \
    -p:NativeIntermediateOutputPath="$folder/native/" -o "$folder/$1" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
  rm -r "$folder/native"
  echo "$1: published in $SECONDS s"
  if grep -iE 'warning|IL[0-9]{4}' "$folder/log"; then
    fail "$1: the compiler warns."
  fi
}

# start PROGRAM...: the least and the median microseconds of 21 processes, from their start to their end, that only say what they are. What else the machine does can only add to them.
start() {
  local begun
  for _ in {1..21}; do
    begun=${EPOCHREALTIME/./}
    "$@" level > /dev/null
    echo $((${EPOCHREALTIME/./} - begun))
  done | sort -n | sed -n '1p;11p' | paste -sd ' '
}

# bits NAME PROGRAM...: the SHA-256 of what trainings leave.
bits() {
  "${@:2}" bits "$folder/bits-$1" 2 > /dev/null
  (cd "$folder/bits-$1" && sha256sum -- *)
}

# check NAME: what holds whatever the instruction set.
check() {
  local program=$folder/$1/NativeConv.PortableProgram bytes microseconds most=$most_bytes
  bytes=$(stat -c %s "$program")
  microseconds=$(start "$program")
  echo "$1: $("$program" level), $bytes bytes, starts in $microseconds microseconds, the least and the median (just in time: $jit_start)"
  # The limit is for a program that says what it runs on.
  [[ "$("$program" level)" != *Vector512* ]] || most=$most_bytes_512
  [ "$1" = plain ] || [ "$bytes" -lt $most ] || fail "$1: the program has $most bytes or more."
  [ "${microseconds% *}" -lt $most_microseconds ] || fail "$1: the start takes $most_microseconds microseconds or more."
  "$program" golden || fail "$1: golden values."
}

dotnet build -c Release tests/NativeConv.PortableProgram -v quiet
jit=(dotnet tests/NativeConv.PortableProgram/bin/Release/net10.0/NativeConv.PortableProgram.dll)
jit_start=$(start "${jit[@]}")
expected=$(bits jit "${jit[@]}")
echo "$expected"

publish machine native
check machine
[ "$("$folder/machine/NativeConv.PortableProgram" level)" = "$("${jit[@]}" level | sed 's/just in time/ahead of time/')" ] || fail "machine: other vectors than just in time."
if [ "$(bits machine "$folder/machine/NativeConv.PortableProgram")" = "$expected" ]; then
  echo "machine: the bits of just in time"
else
  fail "machine: other bits than just in time."
fi

if [ "${1:-}" != machine ]; then
  publish plain none
  check plain
  [ "$(bits plain "$folder/plain/NativeConv.PortableProgram")" = "$expected" ] && echo "plain: the bits of just in time" || echo "plain: other bits than just in time, within the golden values' bounds"
  for threads in 1 2; do
    echo "milliseconds of a step and of a prediction of 64 images, $threads threads: just in time; machine; plain"
    "${jit[@]}" speed $threads | tail -n +2 > "$folder/jit-speed"
    for name in machine plain; do
      "$folder/$name/NativeConv.PortableProgram" speed $threads | tail -n +2 | cut -d ' ' -f 2- > "$folder/$name-speed"
    done
    paste -d ' ' "$folder/jit-speed" "$folder/machine-speed" "$folder/plain-speed"
  done
fi
exit $failed
