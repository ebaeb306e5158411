/**
 * The way of untrusted text into the log.
 *
 * The agent takes `##vso[` for a command wherever it stands in a line, in whatever case (`Command.TryParse` in
 * microsoft/azure-pipelines-agent, read 2026-11), and `##[` for formatting.
 */

/** `line` with nothing in it that the agent would obey, nor a terminal. */
export function inert(line: string): string {
  return line.replace(/##(?=(?:vso)?\[)/gi, "## ").replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g, "\ufffd");
}

/** Writes a line of untrusted text. */
export function say(line: string): void {
  process.stdout.write(`${inert(line)}\n`);
}

/**
 * Writes a line of keytrail's annotations: as it is if it is one issue, else as text. In an issue, too, nothing but its
 * beginning may look like a command.
 */
export function annotate(line: string): void {
  const issue = /^##vso\[task\.logissue ([^\]\r\n]*)\](.*)$/.exec(line);
  if (issue) {
    process.stdout.write(`##vso[task.logissue ${inert(issue[1] ?? "")}]${inert(issue[2] ?? "")}\n`);
  } else if (line !== "") {
    say(line);
  }
}
