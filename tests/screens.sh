#!/usr/bin/env bash
# Pictures of every page, light and dark, on a desk and on a phone, into docs/screens: to be looked
# at one by one. Needs what tests/run.sh installs.
set -eu

cd "$(dirname "$0")/.."
rm -rf docs/screens
mkdir -p docs/screens
ARTDAG_SCREENS=$PWD/docs/screens cargo test --locked --test it -- ui::every_page
