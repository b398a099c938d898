#!/bin/sh
# From photos to people in one go, and then the pages to name them in. Usage: demo.sh [PHOTOS]
# Without PHOTOS it draws a little library of made-up people; either way everything it makes is in build/.
# A service that an earlier run has left is stopped first.
set -eu
cd "$(dirname "$0")/.."

photos=${1:-}
case $photos in "~"*) photos=$HOME${photos#"~"} ;; esac
log=build/serve.log
sh scripts/stop.sh >/dev/null

run() {
    printf '\n$ image-search %s\n' "$*"
    .venv/bin/image-search "$@"
}

free_port() { # 8000, or the next port that nobody listens on
    .venv/bin/python - <<'PYTHON'
import socket

for port in range(8000, 8100):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        continue
    print(port)
    break
else:
    raise SystemExit("No port from 8000 to 8099 is free.")
PYTHON
}

serve() { # in the background, until scripts/stop.sh
    port=$(free_port)
    rm -f "$log"
    (umask 077 && : >"$log") # it holds the token
    nohup .venv/bin/image-search serve --port "$port" >>"$log" 2>&1 </dev/null &
    echo $! >build/serve.pid
    waited=0
    until address=$(.venv/bin/image-search address 2>/dev/null) && grep -q '^Serving ' "$log"; do
        waited=$((waited + 1))
        if [ "$waited" -gt 60 ] || ! kill -0 "$(cat build/serve.pid)" 2>/dev/null; then
            printf 'The service did not start:\n' >&2
            cat "$log" >&2
            exit 1
        fi
        sleep 1
    done
}

if [ -n "$photos" ]; then
    export IMAGE_SEARCH_LIBRARY="$PWD/build/my-library"
    run index "$photos"
else
    export IMAGE_SEARCH_LIBRARY="$PWD/build/demo/library"
    rm -rf build/demo
    run demo build/demo/photos
    run index build/demo/photos --engine synthetic
fi
run people
serve

printf '\nThe library is in %s; remove that folder, and nothing is left of it.\n' "$IMAGE_SEARCH_LIBRARY"
printf 'To go on with it on the command line, stop the service, then:\n'
printf '  export IMAGE_SEARCH_LIBRARY="%s"\n' "$IMAGE_SEARCH_LIBRARY"
printf '  .venv/bin/image-search name GROUP NAME\n'
printf '\nName the people in your browser:  %s\n' "$address"
printf 'Stop the service:                 make stop\n'
