#!/usr/bin/env bash
# Everything that only a GPU can answer, in under ten minutes; rows go to benchmarks/rows/.
#     bash benchmarks/gpu.sh          on the first CUDA device
#     bash benchmarks/gpu.sh quick    the same scripts on the CPU, as far as they go there
# The cells that need a GPU (nothing in the loop waits for the device, CUDA graphs), the time of a
# step beside the network, the options that make a network faster, and seconds a pass of large
# networks, which the cost of a search is made of.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python}
if [ "${1:-}" = quick ]; then
  $python benchmarks/steps.py --repeats 2
  $python benchmarks/network_speed.py --quick
  exit
fi
$python .ci/nbrun.py --flags gpu sampling/08_speed
$python benchmarks/steps.py --device cuda
$python benchmarks/options.py --device cuda
$python benchmarks/network_speed.py --device cuda
