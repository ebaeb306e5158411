#!/usr/bin/env bash
# Last step of the action: ends with keytrail's exit code, but for what `fail-on` lets pass. Nothing lets an error pass:
# after one, nothing was scanned.
set -euo pipefail

# Says why, and ends.
ends() {
  printf 'keytrail: %s\n' "$2"
  exit "$1"
}

case $EXIT_CODE/$FAIL_ON in
  0/*) ends 0 "no findings, and everything was read" ;;
  1/findings) ends 1 "$FINDINGS findings" ;;
  1/*) ends 0 "$FINDINGS findings, which \`fail-on: $FAIL_ON\` lets pass" ;;
  3/never) ends 0 "not everything was read; \`fail-on: never\` lets it pass; findings: ${FINDINGS:-unknown}" ;;
  3/*)
    printf 'keytrail: what is not checked out is not read: does actions/checkout have "fetch-depth: 0"?\n'
    ends 3 "not everything was read: the log of the scan says what; findings: ${FINDINGS:-unknown}"
    ;;
  2/*) ends 2 "nothing was scanned: the log of the scan says what to change" ;;
  *) ends "$EXIT_CODE" "it ended with code $EXIT_CODE, which is none of its own" ;;
esac
