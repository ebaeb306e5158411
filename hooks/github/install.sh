#!/usr/bin/env bash
# Second step of the action: gets keytrail. Out, in GITHUB_OUTPUT: `program`, its path.
#
# A download is held to its digest each time, whether it came from the network or from the cache. What `build` made and
# the cache kept can't be: docs/ci.md says who could have written it.
set -euo pipefail

# Ends with a sentence of ours; no input is printed.
refuse() {
  printf '::error title=keytrail::%s\n' "$1"
  exit 2
}

# Digest of a file, 64 hexadecimal digits.
digest() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

# The program in a folder: Windows gives it an ending.
program_in() {
  local candidate
  for candidate in "$1/keytrail" "$1/keytrail.exe"; do
    if [[ -f $candidate ]]; then
      printf '%s' "$candidate"
      return
    fi
  done
}

program=""
case $INSTALL in
  path)
    program=$(type -P keytrail) || refuse "\`install: path\`, and keytrail is not on PATH"
    ;;
  build)
    program=$(program_in "$FOLDER/bin")
    if [[ -z $program ]]; then
      # In the folder of the action: a toolchain file or configuration of what is scanned would be obeyed in its folder.
      cd -- "$GITHUB_ACTION_PATH"
      command -v cargo >/dev/null 2>&1 ||
        refuse "\`install: build\` needs Rust, and cargo is not on PATH: install it, or use \`install: release\` or \`path\`"
      cargo install --locked --quiet --path . --root "$FOLDER"
      program=$(program_in "$FOLDER/bin")
    fi
    ;;
  release)
    download=$FOLDER/download
    if [[ ! -f $download ]]; then
      mkdir -p -- "$FOLDER"
      curl --silent --show-error --fail --location --proto '=https' --proto-redir '=https' --tlsv1.2 --retry 2 \
        --max-filesize 268435456 --output "$download.part" -- "$RELEASE_URL" ||
        refuse "the download failed, or is over 256 MiB: see input \`release-url\`"
      mv -- "$download.part" "$download"
    fi
    if [[ $(digest "$download") != "$RELEASE_SHA256" ]]; then
      rm -f -- "$download"
      refuse "the download is not the one that \`release-sha256\` names: it is not run"
    fi
    unpacked=$RUNNER_TEMP/keytrail/bin
    rm -rf -- "$unpacked"
    mkdir -p -- "$unpacked"
    # By what the name of the link ends in, without a query.
    case ${RELEASE_URL%%[?#]*} in
      *.tar.gz | *.tgz) tar -xzf "$download" -C "$unpacked" ;;
      *.zip) unzip -q "$download" -d "$unpacked" ;;
      *.exe) cp -- "$download" "$unpacked/keytrail.exe" ;;
      *) cp -- "$download" "$unpacked/keytrail" ;;
    esac
    program=$(find "$unpacked" -type f \( -name keytrail -o -name keytrail.exe \) | LC_ALL=C sort | head -n 1)
    [[ -z $program ]] || chmod u+x -- "$program"
    ;;
esac
[[ -n $program ]] || refuse "no program called keytrail came of \`install: $INSTALL\`"

# A program that can't run here is told now, not as a scan that failed.
"$program" --version || refuse "keytrail doesn't run on this machine: is it made for another system?"
case $program in
  *$'\n'*) refuse "the path of keytrail has more than one line" ;;
esac
printf 'program=%s\n' "$program" >>"$GITHUB_OUTPUT"
