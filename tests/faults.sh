#!/usr/bin/env bash
# Kills the trainer at random moments, 1,000 times or as often as the first argument says, and sees that nothing is lost but the steps since the last checkpoint: every
# checkpoint loads, none goes back, and what comes of them in the end has the bytes of a training that nothing disturbed.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet test -c Release tests/NativeConv.PublicApi.Tests --filter FullyQualifiedName~TrainerResumeTests.Kill -e "NATIVECONV_KILLS=${1:-1000}"
