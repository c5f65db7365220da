#!/bin/sh
# Makes the release archive: one command, from anywhere in the repository.
#   docs/deploy/release.sh [--dynamic] [--sources] [DIRECTORY] [BINARY]
# DIRECTORY gets artdag-<version>-<target>.tar.gz and SHA256SUMS; target/dist if none is given.
# BINARY is packed as it is; if none is given, one is built that needs no shared library, or with
# --dynamic one that needs the C library. The same binary gives the same archive.
# --sources adds artdag-<version>-sources.tar.gz: this program's sources and all it is built of.
set -eu
umask 022
root=$(cd "$(dirname "$0")/../.." && pwd)
static=yes
sources=no
while :; do
    case ${1:-} in
    --dynamic) static=no ;;
    --sources) sources=yes ;;
    --*) echo "release.sh: no such option: $1" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done
out=${1:-$root/target/dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
binary=${2:-}
target=$(rustc -vV | sed -n 's/^host: //p')
if [ -z "$binary" ]; then
    # Of a named target, the flags are for the program alone and not for what runs while it is built.
    if [ "$static" = yes ]; then
        name=$(echo "$target" | tr a-z- A-Z_)
        # Whether the kernel has random numbers is looked up in the C library, where a static one tells
        # nothing, and /dev/urandom is read instead; it need not be there if it is known before.
        export "CARGO_TARGET_${name}_RUSTFLAGS=-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\""
    fi
    # From the root: vendored sources are named by the configuration that stands there.
    (cd "$root" && cargo build --release --locked --bin artdag --target "$target")
    binary=${CARGO_TARGET_DIR:-target}/$target/release/artdag
    case $binary in /*) ;; *) binary=$root/$binary ;; esac
    if [ "$static" = yes ] && readelf -lW "$binary" | grep -q INTERP; then
        echo "release.sh: $binary needs a loader; the C library's static form is missing" >&2
        exit 1
    fi
    if [ "$static" = yes ] && readelf -dW "$binary" | grep NEEDED >&2; then
        echo "release.sh: $binary needs these" >&2
        exit 1
    fi
fi
version=$("$binary" --version | cut -d' ' -f2)
name=artdag-$version-$(uname -m)-linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# No times, no owners, one order: two who pack the same can compare.
# In two steps: of a pipe only the last would be looked at.
pack() {
    tar -C "$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/$1.tar" "$1"
    gzip -nc "$work/$1.tar" >"$out/$1.tar.gz"
    rm "$work/$1.tar"
}

made=$work/$name
mkdir -p "$made/completions" "$made/man/man1"
install -m 0755 "$binary" "$made/artdag"
for shell in bash zsh fish; do
    "$made/artdag" completions "$shell" >"$made/completions/artdag.$shell"
done
"$made/artdag" man --dir "$made/man/man1" >/dev/null
cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$root/docs/deploy/artdag.service" "$made/"
"$root/docs/deploy/sbom.py" "$made/artdag" "$target" >"$made/artdag.cdx.json"
(cd "$made" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
pack "$name"
packed=$name.tar.gz

if [ "$sources" = yes ]; then
    name=artdag-$version-sources
    mkdir -p "$work/$name/.cargo"
    # What is committed, as it lies here; not what else somebody has in the directory.
    git -C "$root" ls-files -z | tar -C "$root" --null -T - -cf "$work/files.tar"
    tar -C "$work/$name" -xf "$work/files.tar"
    (cd "$root" && cargo vendor --quiet --locked --versioned-dirs "$work/$name/vendor" >/dev/null)
    cat >"$work/$name/.cargo/config.toml" <<'END'
# Everything is here: nothing is asked for, and nothing is downloaded.
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "vendor"
[net]
offline = true
END
    # Git keeps of a file's mode whether it is run, and nothing else counts.
    chmod -R u=rwX,go=rX "$work/$name"
    pack "$name"
    packed="$packed $name.tar.gz"
fi
# shellcheck disable=SC2086 # names without spaces, made above
(cd "$out" && sha256sum $packed >SHA256SUMS)
for name in $packed; do echo "$out/$name"; done
