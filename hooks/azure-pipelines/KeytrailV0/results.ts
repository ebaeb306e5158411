/** What the service is told: summary, report, variables, and how the task ends. */
import * as tl from "azure-pipelines-task-lib/task";

import type { Wishes } from "./inputs";
import type { Outcome } from "./scan";

/**
 * The artifact that the SARIF SAST Scans Tab and Defender for Cloud read. Source: Microsoft, "Configure the Microsoft
 * Security DevOps Azure DevOps extension", read 2026-11.
 */
const ARTIFACT = "CodeAnalysisLogs";

/** Hands summary and report to the service, and sets the output variables. */
export function publish(outcome: Outcome, wishes: Wishes): void {
  if (outcome.summary !== undefined) tl.uploadSummary(outcome.summary);
  if (wishes.publishArtifact) for (const file of outcome.sarif) tl.uploadArtifact(ARTIFACT, file, ARTIFACT);
  const variables: Record<string, string> = {
    findings: outcome.findings?.toString() ?? "",
    incomplete: String(!outcome.complete),
    sarif: outcome.sarif.length === 1 ? (outcome.sarif[0] ?? "") : "",
    sarifDirectory: outcome.sarifDirectory,
    exitCode: outcome.code?.toString() ?? "",
  };
  for (const [name, value] of Object.entries(variables)) tl.setVariable(name, value, false, true);
}

/** How the task ends, and why. Only an exit code of 0 with everything read is a plain success. */
export function verdict({ code, findings, complete }: Outcome, { failOn }: Wishes): { result: tl.TaskResult; message: string } {
  const found = findings === 1 ? "1 finding" : `${findings ?? "no count of"} findings`;
  const { Succeeded, SucceededWithIssues, Failed } = tl.TaskResult;
  switch (code) {
    case 0:
      if (complete) return { result: Succeeded, message: "no findings, and everything was read" };
      return { result: Failed, message: "keytrail ended well without a whole report" };
    case 1:
      return { result: failOn === "findings" ? Failed : SucceededWithIssues, message: found };
    case 2:
      return { result: Failed, message: "nothing was scanned: the log says what to change" };
    case 3:
      return {
        result: failOn === "never" ? SucceededWithIssues : Failed,
        message: `not everything was read, and the log says what: is all checked out (fetchDepth: 0)? ${found}`,
      };
    default:
      return { result: Failed, message: code === null ? "keytrail was ended by a signal" : `keytrail ended with code ${code}` };
  }
}
