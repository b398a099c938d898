#!/bin/sh
# Makes the passwords that compose.yaml hands to the containers, each in a file below secrets/. Those that are there
# stay. The folder keeps other users out; the files are open to all, since the containers' users read them.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
made() { # made NAME TEXT: write it, unless the file is there
    [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
made postgres_password "$(random)"
made redis_password "$(random)"
made qdrant_api_key "$(random)"
made database_url "postgresql+psycopg://image_search:$(cat secrets/postgres_password)@postgres/image_search"
made redis_url "redis://:$(cat secrets/redis_password)@redis:6379/0"
chmod 0644 secrets/*
