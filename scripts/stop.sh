#!/bin/sh
# Stops the service that demo.sh has started. What it was doing goes on at the next start.
set -eu
cd "$(dirname "$0")/.."

pid_file=build/serve.pid
if [ ! -f "$pid_file" ]; then
    echo 'No service of the demo runs.'
    exit 0
fi
pid=$(cat "$pid_file")
case $(ps -p "$pid" -o args= 2>/dev/null || true) in
*'image-search serve'*)
    kill "$pid"
    waited=0
    while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt 30 ]; do
        sleep 1
        waited=$((waited + 1))
    done
    if kill -0 "$pid" 2>/dev/null; then
        echo "The service (process $pid) has not ended within 30 s." >&2
        exit 1
    fi
    echo 'The service is stopped.'
    ;;
*) echo 'No service of the demo runs.' ;; # its process has ended, another may have its number
esac
rm -f "$pid_file"
