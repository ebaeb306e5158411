/**
 * keytrail's task for Azure Pipelines, as one paragraph: read the inputs, get the program, scan, say what came of it.
 *
 * What is scanned is untrusted, and so is what a program says of it: text goes to the log through `log.ts` only, and
 * nothing is ever run through a shell.
 */
import * as tl from "azure-pipelines-task-lib/task";

import { inputs } from "./inputs";
import { program } from "./program";
import { scan } from "./scan";
import { publish, verdict } from "./results";

/** Runs the task; whatever goes wrong fails it. */
async function run(): Promise<void> {
  try {
    const wishes = inputs(tl.getInput, tl.getBoolInput, process.env);
    const outcome = await scan(await program(wishes), wishes);
    publish(outcome, wishes);
    const { result, message } = verdict(outcome, wishes);
    tl.setResult(result, message);
  } catch (error) {
    tl.setResult(tl.TaskResult.Failed, error instanceof Error ? error.message : String(error));
  }
}

void run();
