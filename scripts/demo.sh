#!/bin/sh
# From photos to people in one go. Usage: demo.sh [PHOTOS]
# Without PHOTOS it draws a little library of made-up people; either way everything it makes is in build/.
set -eu
cd "$(dirname "$0")/.."

photos=${1:-}
case $photos in "~"*) photos=$HOME${photos#"~"} ;; esac

run() {
    printf '\n$ image-search %s\n' "$*"
    .venv/bin/image-search "$@"
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

printf '\nThe library is in %s; remove that folder, and nothing is left of it.\n' "$IMAGE_SEARCH_LIBRARY"
printf 'To go on with it:  export IMAGE_SEARCH_LIBRARY="%s"\n' "$IMAGE_SEARCH_LIBRARY"
printf 'then, for instance: .venv/bin/image-search name GROUP NAME\n'
