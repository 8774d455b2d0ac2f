#!/usr/bin/env bash
# Runs the program in the root folder of an image, read-only and as its user, asks whether it is healthy, and ends it.
# .ci/deploy runs it in its own mount and process namespaces.
set -euo pipefail
image=$1
mount --make-rprivate /
mount --bind "$image" "$image"
mount --bind "$image/var/lib/dragoman" "$image/var/lib/dragoman"
mount -t tmpfs tmpfs "$image/tmp"
mount -t proc proc "$image/proc"
for device in null urandom; do mount --bind "/dev/$device" "$image/dev/$device"; done
mount -o remount,bind,ro "$image"

ip link set lo up

program=(
  env -i PATH=/usr/sbin:/usr/bin NODE_ENV=production MALLOC_ARENA_MAX=1 DRAGOMAN_CONFIG=/etc/dragoman/dragoman.yaml
  DRAGOMAN_API_KEYS=key
  setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$image"
  /usr/local/bin/node /opt/dragoman/bin/main.cjs
)

"${program[@]}" health && { echo "the image: healthy without a service" >&2; exit 1; }
"${program[@]}" serve >"$image.log" 2>&1 &
service=$!
for _ in $(seq 100); do
  "${program[@]}" health 2>/dev/null && break
  kill -0 "$service" || { cat "$image.log" >&2; exit 1; }
done
"${program[@]}" health
curl -sf -H 'x-api-key: key' -H 'content-type: application/json' http://127.0.0.1:8080/v1/chat/completions \
  -d '{"model": "echo/echo", "messages": [{"role": "user", "content": "hello from the image"}]}' |
  grep -q 'hello from the image' || { echo "the image: no response" >&2; exit 1; }
"${program[@]}" keys create --name ci >/dev/null
kill -TERM "$service"
wait "$service"
# The record is in the database, in the only folder that can be written.
"${program[@]}" usage --by model | grep -q echo/echo || { echo "the image: no record of the call" >&2; exit 1; }
