#!/bin/sh
# Installs the program with its locked dependencies into FOLDER/opt/dragoman, and the SBOM into FOLDER/usr/share/sbom.
# The Dockerfile runs it, and .ci/deploy, in the root of the sources after `npm ci`.
set -eu
target=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm pack --loglevel=error --pack-destination "$work" >/dev/null
mkdir -p "$target/opt" "$target/usr/share/sbom"
tar -xzf "$work"/dragoman-*.tgz -C "$work"
mv "$work/package" "$target/opt/dragoman"
# The package has exact versions of its direct dependencies; the lock file also has those of the others.
cp package-lock.json "$target/opt/dragoman/"
(
  cd "$target/opt/dragoman"
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
  npm sbom --omit=dev --sbom-format=cyclonedx --sbom-type=application
) >"$work/output"
# npm ci prints a line before the SBOM.
sed -n '/^{/,$p' "$work/output" >"$target/usr/share/sbom/dragoman.cdx.json"
