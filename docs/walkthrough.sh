#!/usr/bin/env bash
# From an empty account to a test mail that arrived, with the sandbox as the account:
#     bash docs/walkthrough.sh                      # shnotify with its extra `sandbox` on the PATH
#     SHNOTIFY_LANG=ja bash docs/walkthrough.sh
set -euo pipefail
export COLUMNS=${COLUMNS:-100} NO_COLOR=1
folder=$(mktemp -d)
trap 'kill "$sandbox" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
shnotify sandbox >environment 2>/dev/null &
sandbox=$!
for _ in $(seq 300); do grep -q no_proxy environment && break; sleep 0.1; done
. ./environment

run() { echo "\$ $*"; "$@" 2>errors || { cat errors; exit 1; }; echo; }
ask() { python3 -c 'import sys, urllib.request as u; print(u.urlopen(u.Request(sys.argv[1], headers={"Accept": "application/json"})).read().decode())' "$1"; }

mail=(--mail lambda)
[ "${SHNOTIFY_LANG:-en}" = en ] || mail+=(--language "$SHNOTIFY_LANG")
run shnotify init --email secops@example.com "${mail[@]}"
run shnotify apply --yes
echo '# The owner of the address opens the mail from AWS, and follows the link in it.'
ask "$AWS_ENDPOINT_URL$(ask "$AWS_ENDPOINT_URL/sandbox/subscriptions" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["pending"][0]["confirm"])')" >answer
echo
run shnotify subscriptions list
run shnotify test --yes
echo '# What arrived:'
ask "$AWS_ENDPOINT_URL/sandbox/mail" | python3 -c '
import json, sys
one = next(mail for mail in json.load(sys.stdin)["mails"] if "TEST" in mail["subject"])
print("Subject: " + one["subject"], "", one["body"], "", sep="\n")'
run shnotify destroy --yes
