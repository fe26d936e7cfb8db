#!/bin/bash
# Are the Debian packages of tools/packages installed (--check), or install what is missing (--install).
set -eu
cd "$(dirname "$0")"
mapfile -t wanted < <(sed 's/[[:space:]]*#.*//; /^$/d' packages)
missing=()
for p in "${wanted[@]}"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
done
case "${1:-}" in
--check) exit $((${#missing[@]} > 0)) ;;
--install)
	((${#missing[@]})) || exit 0
	echo "installing: ${missing[*]}"
	as_root=()
	[ "$(id -u)" = 0 ] || as_root=(sudo)
	# An old package list names versions that the mirrors no longer have: refresh it first.
	"${as_root[@]}" apt-get -qq update
	# A package must not start a daemon of its own on the machine that only builds and tests.
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
	;;
*) echo "usage: $0 --check | --install" >&2; exit 2 ;;
esac
