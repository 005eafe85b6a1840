#!/usr/bin/env bash
# Installs the Debian packages that tests use. Where it may not, it says exactly what is missing:
# with CI=true that is a failure, otherwise the tests that need them are skipped.
set -euo pipefail

# command it brings -> Debian package
declare -A packages=(
    [xmlsec1]=xmlsec1
    [javac]=default-jdk-headless
    [mcs]=mono-mcs
    [mono]=mono-runtime
    [softhsm2-util]=softhsm2
    [pkcs11-tool]=opensc
    [cc]=gcc
)
# file that a package without a command brings -> Debian package
declare -A libraries=(
    [/usr/lib/mono/4.5/System.Security.dll]=libmono-system-security4.0-cil
    [/usr/sbin/pkcsslotd]=opencryptoki
    [/usr/include/stdio.h]=libc6-dev
)

missing=()
for command in "${!packages[@]}"; do
    command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
for file in "${!libraries[@]}"; do
    [ -e "$file" ] || missing+=("${libraries[$file]}")
done
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "Installing system packages with apt-get: ${missing[*]}"
    if "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        exit 0
    fi
fi

echo "Missing system packages: ${missing[*]}" >&2
echo "Install them with: sudo apt-get install ${missing[*]}" >&2
if [ "${CI:-}" = "true" ]; then
    exit 1
fi
echo "Tests that need them will be skipped." >&2
