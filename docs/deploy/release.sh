#!/bin/sh
# Makes the release archive: one command, from anywhere in the repository.
#   docs/deploy/release.sh [DIRECTORY] [BINARY]
# DIRECTORY gets artdag-<version>-<target>.tar.gz and SHA256SUMS; target/dist if none is given.
# BINARY is packed as it is; if none is given, it is built. The same binary gives the same archive.
set -eu
umask 022
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$root/target/dist}
binary=${2:-}
if [ -z "$binary" ]; then
    cargo build --manifest-path "$root/Cargo.toml" --release --locked --bin artdag
    binary=${CARGO_TARGET_DIR:-$root/target}/release/artdag
fi
version=$("$binary" --version | cut -d' ' -f2)
name=artdag-$version-$(uname -m)-linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
made=$work/$name
mkdir -p "$made/completions" "$made/man/man1" "$out"
install -m 0755 "$binary" "$made/artdag"
for shell in bash zsh fish; do
    "$made/artdag" completions "$shell" >"$made/completions/artdag.$shell"
done
"$made/artdag" man --dir "$made/man/man1" >/dev/null
cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$root/docs/deploy/artdag.service" "$made/"
(cd "$made" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
# No times, no owners, one order: two who pack the same binary can compare.
# In two steps: of a pipe only the last would be looked at.
tar -C "$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/$name.tar" "$name"
gzip -nc "$work/$name.tar" >"$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >SHA256SUMS)
echo "$out/$name.tar.gz"
