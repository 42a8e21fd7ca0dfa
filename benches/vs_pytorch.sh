#!/usr/bin/env bash
# fviz against PyTorch on this machine: the same recipe, weights and threads, in turn; ratios of medians.
#
#   FVIZ_MODELS=DIR benches/vs_pytorch.sh [ROUNDS] [--write]
#
# Needs a folder with resnet18's weights, and a Python (or `PYTHON=…`) that has torch, torchvision, pillow, safetensors.
# With --write the table goes into docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${FVIZ_MODELS:?names no folder of weights}"
cargo build --release --quiet
exec "${PYTHON:-python3}" benches/vs_pytorch.py compare "$@"
