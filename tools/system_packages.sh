#!/usr/bin/env bash
# Make sure that system programs are there; install what is missing with apt when that is allowed.
# Usage: system_packages.sh NAME[:PACKAGE[:TEST]] …   TEST is a command that succeeds when NAME is there.
# With CI=true a program that is still missing is a failure; otherwise what needs it is skipped.
set -euo pipefail

missing() {
    local name package check entry
    for entry in "$@"; do
        IFS=: read -r name package check <<<"$entry"
        if [ -n "${check:-}" ]; then bash -c "$check" >/dev/null 2>&1 || echo "${package:-$name}"
        else command -v "$name" >/dev/null || echo "${package:-$name}"; fi
    done
}

packages=$(missing "$@" | xargs)
[ -z "$packages" ] && exit 0

if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then as_root=""
    elif sudo -n true 2>/dev/null; then as_root="sudo"
    fi
fi
if [ -n "${as_root+set}" ]; then
    echo "Installing system packages: $packages …"
    $as_root apt-get update -qq || echo "apt-get update failed; trying with the lists that are there." >&2
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
fi

packages=$(missing "$@" | xargs)
[ -z "$packages" ] && exit 0
echo "Missing: $packages. Install with: sudo apt-get install $packages" >&2
if [ "${CI:-}" = true ]; then
    echo "CI must have every system package." >&2
    exit 1
fi
echo "What needs them is skipped." >&2
