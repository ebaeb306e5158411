/** Getting the program: the one on PATH, a file, or a download that is what its digest says. */
import * as crypto from "crypto";
import * as fs from "fs";
import * as path from "path";

import * as tl from "azure-pipelines-task-lib/task";
import * as tool from "azure-pipelines-tool-lib/tool";

import type { Wishes } from "./inputs";

/** What the program is called here. */
const NAME = process.platform === "win32" ? "keytrail.exe" : "keytrail";

/**
 * The path of the program.
 *
 * @throws when it isn't there, or the download isn't the one that was named.
 */
export async function program({ origin }: Wishes): Promise<string> {
  switch (origin.from) {
    case "path": {
      const found = tl.which("keytrail", false);
      if (!found) {
        throw new Error("keytrail is not on PATH: install it in a step before, or give `keytrailPath` or `releaseUrl`");
      }
      return found;
    }
    case "file":
      if (!fs.statSync(origin.file, { throwIfNoEntry: false })?.isFile()) {
        throw new Error("input `keytrailPath` names no file");
      }
      return path.resolve(origin.file);
    case "link":
      return download(origin.url, origin.sha256);
  }
}

/** Downloads, checks and unpacks. Each time anew: what earlier jobs left on an agent could have been changed since. */
async function download(url: string, sha256: string): Promise<string> {
  const folder = fs.mkdtempSync(path.join(temporary(), "keytrail-"));
  const file = path.join(folder, "download");
  // The library's messages name the link, which is the pipeline's own.
  await tool.downloadTool(url, file);
  if (crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex") !== sha256) {
    fs.rmSync(file);
    throw new Error("the download is not the one that `releaseSha256` names: it is not run");
  }
  const unpacked = path.join(folder, "bin");
  fs.mkdirSync(unpacked);
  const name = new URL(url).pathname.toLowerCase();
  if (/\.t(ar\.)?gz$/.test(name)) await tool.extractTar(file, unpacked);
  else if (name.endsWith(".zip")) await tool.extractZip(file, unpacked);
  else fs.copyFileSync(file, path.join(unpacked, NAME));
  const found = tl.find(unpacked).find((each) => path.basename(each) === NAME && fs.statSync(each).isFile());
  if (found === undefined) throw new Error("the download holds no program called keytrail");
  fs.chmodSync(found, 0o755);
  return found;
}

/** The agent's folder for what needn't outlive the job. */
export function temporary(): string {
  const folder = tl.getVariable("Agent.TempDirectory");
  if (!folder) throw new Error("the agent names no temporary folder (Agent.TempDirectory)");
  return folder;
}
