#!/bin/sh
# Installs the program with its locked dependencies into TARGET/opt/dragoman, and the list of them (SBOM) into
# TARGET/usr/share/sbom. The Dockerfile and .ci/deploy run it in the root of the sources, after `npm ci`.
set -eu
target=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
silent='--no-audit --no-fund --loglevel=error'

# shellcheck disable=SC2086
npm pack $silent --pack-destination "$work" >/dev/null
tar -xzf "$work"/dragoman-*.tgz -C "$work"
mkdir -p "$target/opt" "$target/usr/share/sbom"
mv "$work/package" "$target/opt/dragoman"
# The package has exact versions of its direct dependencies; the lock file also has those of the others.
cp package-lock.json "$target/opt/dragoman/"
cd "$target/opt/dragoman"
# shellcheck disable=SC2086
npm ci --omit=dev --ignore-scripts $silent >/dev/null
# Otherwise `npm sbom` misses packages that the development needs too, and rejects those that are bundled.
npm pkg delete devDependencies bundleDependencies
rm package-lock.json
npm sbom --sbom-format=cyclonedx --sbom-type=application >../../usr/share/sbom/dragoman.cdx.json
