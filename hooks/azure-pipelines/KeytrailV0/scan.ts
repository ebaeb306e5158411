/** Runs keytrail and reads what came of it. */
import { spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import * as readline from "readline";

import type { Wishes } from "./inputs";
import { annotate, say } from "./log";
import { temporary } from "./program";

/** What a scan left behind. */
export interface Outcome {
  /** keytrail's exit code; `null` when a signal ended it. */
  code: number | null;
  /** How many findings count; `undefined` when there is no whole report. */
  findings: number | undefined;
  /** Whether everything was read. */
  complete: boolean;
  /** The job summary, if it was written. */
  summary: string | undefined;
  /** Folder with the SARIF report and nothing else. */
  sarifDirectory: string;
  /** The SARIF files in it: one, or its parts when it exceeds what the service takes. */
  sarif: string[];
}

/**
 * Scans, with what keytrail says going to the log as it comes, and its issues after that.
 *
 * @throws when the program can't be started.
 */
export async function scan(program: string, wishes: Wishes): Promise<Outcome> {
  const folder = fs.mkdtempSync(path.join(temporary(), "keytrail-reports-"));
  const [annotations, summary, records] = ["annotations", "keytrail.md", "report.jsonl"].map((name) => path.join(folder, name));
  const sarifDirectory = path.join(folder, "sarif");
  fs.mkdirSync(sarifDirectory);
  const report = path.join(sarifDirectory, wishes.artifactFile);
  const words = [wishes.kind, "--no-progress", "--format", "text", "--format", `annotations=${annotations}`];
  words.push("--annotations", "azure", "--format", `markdown=${summary}`, "--format", `jsonl=${records}`);
  words.push("--format", `sarif=${report}`, "--sarif-target", "azure-devops", ...wishes.arguments);
  if (wishes.kind === "files") {
    // A path is a path, whatever it starts with.
    words.push("--", ...wishes.paths.map((each) => (path.isAbsolute(each) ? each : `./${each}`)));
  }

  if (!fs.statSync(wishes.workingDirectory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error("input `workingDirectory` names no folder");
  }
  const code = await spoken(program, words, wishes.workingDirectory);
  for (const line of text(annotations).split(/\r?\n/)) annotate(line);
  const { findings, complete } = counted(text(records));
  return {
    code,
    findings,
    complete,
    summary: summary !== undefined && fs.existsSync(summary) ? summary : undefined,
    sarifDirectory,
    sarif: fs.readdirSync(sarifDirectory).sort().map((name) => path.join(sarifDirectory, name)),
  };
}

/** Runs the program, passes on what it says line by line, and gives its exit code. */
function spoken(program: string, words: string[], cwd: string): Promise<number | null> {
  const env = { ...process.env };
  // A pull request could have written what the one names, and a scan needs no access to anything.
  delete env["KEYTRAIL_CACHE"];
  delete env["SYSTEM_ACCESSTOKEN"];
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd, env, shell: false, stdio: ["ignore", "pipe", "pipe"] });
    for (const input of [child.stdout, child.stderr]) readline.createInterface({ input }).on("line", say);
    child.on("error", (error: NodeJS.ErrnoException) => reject(new Error(`keytrail can't be started: ${error.code ?? "unknown"}`)));
    child.on("close", resolve);
  });
}

/** Findings that count, and whether all was read, from the record that a whole report ends with. */
function counted(records: string): { findings: number | undefined; complete: boolean } {
  const last: unknown = JSON.parse(records.trimEnd().split("\n").pop() || "null");
  if (typeof last === "object" && last !== null && "type" in last && last.type === "summary") {
    const { open, complete } = last as { open?: unknown; complete?: unknown };
    return { findings: typeof open === "number" ? open : undefined, complete: complete === true };
  }
  return { findings: undefined, complete: false };
}

/** A file's text; nothing when keytrail wrote none. */
function text(file: string | undefined): string {
  return file !== undefined && fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}
