#!/usr/bin/env bash
# First step of the action: checks every input before anything is built, and decides what is cached under which name.
#
# In: the inputs as variables, whose values are never printed: they may hold text of a pull request. Out, in
# GITHUB_OUTPUT: `folder` (what is cached), `key` (its name; empty for no cache) and `save` (whether it may be written).
set -euo pipefail

# What is wrong, one sentence of ours each.
mistakes=()

# Notes a mistake unless the value, given second, is one of the words after it.
one_of() {
  local name=$1 value=$2 word
  shift 2
  for word in "$@"; do
    [[ $value != "$word" ]] || return 0
  done
  mistakes+=("input \`$name\` is none of: $*")
}

# Notes a mistake when the value, given second, has more than one line.
one_line() {
  case $2 in
    *$'\n'* | *$'\r'*) mistakes+=("input \`$1\` has more than one line") ;;
  esac
}

# Digest of standard input, 64 hexadecimal digits. macOS has the one program, Linux and Windows have the other.
digest() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

one_of install "$INSTALL" build path release
one_of scan "$SCAN" auto diff history files
one_of fail-on "$FAIL_ON" findings incomplete never
one_of confidence "$CONFIDENCE" "" low medium high
one_of include-tests "$INCLUDE_TESTS" true false
one_of upload "$UPLOAD" true false
one_of cache "$CACHE" true false
one_line working-directory "$WORKING_DIRECTORY"
one_line config "$CONFIG"
one_line sarif-file "$SARIF_FILE"
[[ -n $WORKING_DIRECTORY ]] || mistakes+=("input \`working-directory\` is empty: \`.\` is the checkout")
[[ $SCAN == files || -z $PATHS ]] || mistakes+=("input \`paths\` is for \`scan: files\` only")

# What is downloaded is run, so it must be named by its digest.
if [[ $INSTALL == release ]]; then
  [[ $RELEASE_URL =~ ^https://[A-Za-z0-9._~:/?#@!\&\'()*+,\;=%-]+$ ]] ||
    mistakes+=("\`install: release\` needs the input \`release-url\`, which starts with https://")
  [[ $RELEASE_SHA256 =~ ^[0-9a-f]{64}$ ]] ||
    mistakes+=("\`install: release\` needs the input \`release-sha256\`: 64 hexadecimal digits in lower case, without which nothing is downloaded")
elif [[ -n $RELEASE_URL$RELEASE_SHA256 ]]; then
  mistakes+=("inputs \`release-url\` and \`release-sha256\` are for \`install: release\` only")
fi

# The action's own reports and codes, and what no pipeline should have.
while IFS= read -r argument; do
  case ${argument%$'\r'} in
    --format | --format=* | -o* | --output | --output=* | --exit-code | --exit-code=* | --sarif-target | --sarif-target=*)
      mistakes+=("input \`arguments\`: reports and exit codes are the action's; see \`sarif-file\` and \`fail-on\`") ;;
    --show-secrets) mistakes+=("input \`arguments\`: secrets are never shown in a pipeline") ;;
    --cache | --cache=*)
      mistakes+=("input \`arguments\`: the action uses no verdict cache, which a pull request could have written") ;;
  esac
done <<<"$ARGUMENTS"

if ((${#mistakes[@]} > 0)); then
  printf '::error title=keytrail::%s\n' "${mistakes[@]}"
  exit 2
fi

key=""
if [[ $CACHE == true ]]; then
  case $INSTALL in
    release) key=$RELEASE_SHA256 ;;
    # The same compiler makes the same program of the same files; their names are ours, without blanks. In the folder of
    # the action, since the one that is scanned could name another compiler.
    build)
      cd -- "$GITHUB_ACTION_PATH"
      key=$(
        {
          rustc --version --verbose 2>/dev/null || true
          find Cargo.toml Cargo.lock build.rs src rules benches -type f | LC_ALL=C sort | xargs cat
        } | digest
      )
      ;;
  esac
  [[ -z $key ]] || key="keytrail-$INSTALL-$RUNNER_OS-$RUNNER_ARCH-$key"
fi

# Events that run with the rights of the main branch on behalf of whoever sent the change: what they write to the cache,
# the main branch would read.
case $GITHUB_EVENT_NAME in
  pull_request_target | workflow_run | issue_comment) save=false ;;
  *) save=true ;;
esac

{
  printf 'folder=%s\n' "$RUNNER_TEMP/keytrail/cached"
  printf 'key=%s\n' "$key"
  printf 'save=%s\n' "$save"
} >>"$GITHUB_OUTPUT"
