#!/usr/bin/env bash
# Third step of the action: scans, and writes annotations, job summary and outputs whatever came of it. It ends well
# where keytrail ran; the last step turns its exit code into the action's, so that the report is uploaded before.
#
# In: the inputs as variables, checked by prepare.sh. Out, in GITHUB_OUTPUT: `findings`, `incomplete`, `sarif`,
# `exit-code`.
set -euo pipefail
unset CDPATH

# Most bytes of a job summary: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands, "Step
# isolation and limits", read 2026-11. A longer one is refused whole.
readonly SUMMARY_LIMIT=1048576

# Ends with a sentence of ours; no input is printed.
refuse() {
  printf '::error title=keytrail::%s\n' "$1"
  exit 2
}

# A path that no program takes for a flag, nor `cd` for a word of its own.
plain() {
  case $1 in
    /* | [A-Za-z]:*) printf '%s' "$1" ;;
    *) printf './%s' "$1" ;;
  esac
}

# The physical path of a folder, without a last slash.
physical() {
  (cd -- "$1" 2>/dev/null && pwd -P)
}

# What the event is about: a change has a range, all else is scanned whole.
kind=$SCAN
if [[ $kind == auto ]]; then
  case $GITHUB_EVENT_NAME in
    pull_request | pull_request_* | push | merge_group) kind='diff' ;;
    *) kind='history' ;;
  esac
fi

reports=$(mktemp -d "$RUNNER_TEMP/keytrail-reports.XXXXXX")
mkdir -- "$reports/sarif"
wanted=""
if [[ -n $SARIF_FILE ]]; then
  wanted=$(plain "$SARIF_FILE")
  [[ $wanted != ./* ]] || wanted=$GITHUB_WORKSPACE/${wanted#./}
  # What is scanned can hold links: a report must not be led out of the folder it is meant for.
  folder=$(physical "$(dirname -- "$wanted")") || refuse "input \`sarif-file\`: its folder isn't there"
  [[ ! -L $wanted && ! -d $wanted ]] || refuse "input \`sarif-file\` names a folder or a symbolic link"
  case $folder/ in
    "$(physical "$GITHUB_WORKSPACE")"/* | "$(physical "$RUNNER_TEMP")"/*) ;;
    *) refuse "input \`sarif-file\` leads out of the checkout and the runner's temporary folder" ;;
  esac
fi

command=("$PROGRAM" "$kind" --no-progress --format text --format "annotations=$reports/annotations" --annotations github
  --format "markdown=$reports/summary.md" --format "jsonl=$reports/report.jsonl"
  --format "sarif=$reports/sarif/keytrail.sarif" --sarif-target github)
[[ -z $CONFIDENCE ]] || command+=(--confidence "$CONFIDENCE")
[[ -z $CONFIG ]] || command+=(--config "$(plain "$CONFIG")")
[[ $INCLUDE_TESTS == false ]] || command+=(--include-tests)
while IFS= read -r argument; do
  argument=${argument%$'\r'}
  [[ -z $argument ]] || command+=("$argument")
done <<<"$ARGUMENTS"
if [[ $kind == files ]]; then
  command+=(--)
  while IFS= read -r path; do
    path=${path%$'\r'}
    [[ -z $path ]] || command+=("$(plain "$path")")
  done <<<"$PATHS"
fi

cd -- "$(plain "$WORKING_DIRECTORY")" 2>/dev/null || refuse "input \`working-directory\`: there is no such folder"
# A pull request could have written what it keeps.
unset KEYTRAIL_CACHE

# Nothing between these two lines is taken for a command, whatever a file is called.
token=keytrail-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
resume() { printf '\n::%s::\n' "$token"; }
trap resume EXIT
printf '::stop-commands::%s\n' "$token"
code=0
"${command[@]}" 2>&1 || code=$?
resume
trap - EXIT

# The annotations, and nothing that isn't one.
[[ ! -f $reports/annotations ]] || grep -aE '^::(error|warning|notice)( |::)' "$reports/annotations" || true

findings=""
incomplete=true
if [[ -f $reports/report.jsonl ]]; then
  # The record that a whole report ends with.
  last=$(tail -n 1 "$reports/report.jsonl")
  whole='^\{"type":"summary",.*"open":([0-9]+),.*"complete":(true|false)\}$'
  if [[ $last =~ $whole ]]; then
    findings=${BASH_REMATCH[1]}
    [[ ${BASH_REMATCH[2]} == false ]] || incomplete=false
  fi
fi

if [[ -f $reports/summary.md ]] && (($(wc -c <"$reports/summary.md") <= SUMMARY_LIMIT)); then
  cat -- "$reports/summary.md" >>"$GITHUB_STEP_SUMMARY"
else
  {
    printf '**keytrail**: no report (exit code %s). The log of the scan says why.\n' "$code"
    ((code != 3)) || printf '\n%s\n' "Is everything checked out? \`actions/checkout\` takes \`fetch-depth: 0\`."
  } >>"$GITHUB_STEP_SUMMARY"
fi

# What is handed on is what this scan wrote, not what lay where it was wanted. A report over the host's limits comes in
# parts.
sarif=""
if [[ -f $reports/sarif/keytrail.sarif ]]; then
  sarif=$reports/sarif/keytrail.sarif
  if [[ -n $wanted ]]; then
    rm -f -- "$wanted"
    cp -- "$sarif" "$wanted"
    sarif=$wanted
  fi
elif [[ -f $reports/sarif/keytrail.1.sarif ]]; then
  sarif=$reports/sarif
fi

{
  printf 'findings=%s\n' "$findings"
  printf 'incomplete=%s\n' "$incomplete"
  printf 'sarif=%s\n' "$sarif"
  printf 'exit-code=%s\n' "$code"
} >>"$GITHUB_OUTPUT"
