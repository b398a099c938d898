#!/bin/sh
# Builds the container's image with what is there: docker, podman, or buildah with chroot isolation.
#
# BASE=debootstrap makes the base with debootstrap, where no registry of images is reached; else BASE is the name
# of an image. What follows is handed to the build, such as --build-arg MODELS=yes.
set -eu
cd "$(dirname "$0")/.."

IMAGE=${IMAGE:-image-search-service}
BASE=${BASE:-}
ENGINE=${ENGINE:-}

say() { printf '%s\n' "$*" >&2; }

find_engine() {
    for engine in docker podman; do
        if "$engine" info >/dev/null 2>&1; then
            echo "$engine"
            return
        fi
    done
    command -v buildah >/dev/null && echo buildah
}

debian_base() { # an image of Debian with Python, from Debian's own packages
    command -v debootstrap >/dev/null || {
        say "debootstrap is not installed: apt-get install debootstrap"
        exit 1
    }
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    say "Making a base with debootstrap, some minutes …"
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$folder/base" >&2
    rm -rf "$folder"/base/var/cache/apt/* "$folder"/base/var/lib/apt/lists/* "$folder"/base/usr/share/doc/* \
        "$folder"/base/usr/share/locale/* "$folder"/base/usr/share/man/*
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$folder/base" / >/dev/null
    buildah commit --quiet --rm "$container" localhost/image-search-base >/dev/null
    echo localhost/image-search-base
}

ENGINE=${ENGINE:-$(find_engine)} || {
    say "There is no docker or podman that answers, and no buildah: apt-get install buildah"
    exit 1
}
if [ "$ENGINE" = buildah ]; then export BUILDAH_ISOLATION=chroot; fi
if [ "$BASE" = debootstrap ]; then
    [ "$ENGINE" = buildah ] || { say "BASE=debootstrap is for buildah; $ENGINE takes the name of an image."; exit 1; }
    BASE=$(debian_base)
fi
set -- ${BASE:+--build-arg "BASE=$BASE"} --tag "$IMAGE" "$@"
say "Building $IMAGE with $ENGINE …"
case $ENGINE in
buildah) buildah bud --format docker --file Containerfile "$@" . ;; # HEALTHCHECK is of docker's format
*) "$ENGINE" build --file Containerfile "$@" . ;;
esac
