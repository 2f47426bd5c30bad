#!/usr/bin/env bash
# Pin every version in constraints.txt. Usage: lock.sh PYTHON
set -euo pipefail
"$1" -m piptools compile --quiet --upgrade --all-extras --strip-extras --no-header --no-annotate --no-emit-options \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
    --output-file constraints.txt pyproject.toml
# A local build's suffix (such as +cpu) names one machine's wheel, not a version.
sed -i -E 's/^([a-zA-Z0-9._-]+==[^+ ]+)\+[a-z0-9.]+/\1/' constraints.txt
# The package's own extras name each other; where it lies is no pin.
sed -i -E '/^cnnlib( |\[)/d' constraints.txt
echo "Pinned $(grep -c == constraints.txt) packages in constraints.txt."
