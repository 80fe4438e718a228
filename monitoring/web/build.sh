#!/usr/bin/env bash
# Brings in what the web page draws its graphs with: uPlot, from npm's registry, of the version and the checksum that
# package-lock.json names. The page works without it, but for the large graphs.
# Usage: monitoring/web/build.sh [--dev]     --dev: also what the page's tests check it with
set -eu
cd "$(dirname "$0")"
command -v npm >/dev/null || { echo "no npm here: install it (Debian and Ubuntu: apt-get install npm)" >&2; exit 69; }

omit=--omit=dev
[ "${1:-}" = --dev ] && omit=
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error $omit
mkdir -p static/vendor
cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css static/vendor/
cp node_modules/uplot/LICENSE static/vendor/uPlot.LICENSE.txt
