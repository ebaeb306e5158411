/**
 * The task's inputs: read, checked all at once, and turned into what they mean. Values are never put into messages: they
 * may hold text of a pull request.
 */
import * as path from "path";

/** What is scanned. */
export type Kind = "diff" | "history" | "files";

/** What fails the task, besides errors. */
export type FailOn = "findings" | "incomplete" | "never";

/** Where the program comes from. */
export type Origin = { from: "path" } | { from: "file"; file: string } | { from: "link"; url: string; sha256: string };

/** What the inputs mean. */
export interface Wishes {
  kind: Kind;
  /** For `files`: what to scan; nothing means all. */
  paths: string[];
  /** Folder to scan in, absolute. */
  workingDirectory: string;
  /** Arguments for keytrail, each as it is. */
  arguments: string[];
  failOn: FailOn;
  origin: Origin;
  publishArtifact: boolean;
  /** Name of the report, without a folder. */
  artifactFile: string;
}

/** Variables of the agent. */
export type Variables = Record<string, string | undefined>;

/** What the agent's documentation calls the main branch has no name among its variables; keytrail assumes these too. */
const MAIN_BRANCHES = ["refs/heads/main", "refs/heads/master"];

/** Flags of keytrail that the task sets itself, or that no pipeline should have, and why. */
const REFUSED: [flags: string[], why: string][] = [
  [["--format", "--output", "-o", "--exit-code", "--sarif-target"], "reports and exit codes are the task's; see `failOn`"],
  [["--show-secrets"], "secrets are never shown in a pipeline"],
  [["--cache"], "the task uses no verdict cache, which a pull request could have written"],
];

/**
 * Reads the inputs through `text` and `flag`, which are the task library's.
 *
 * @throws with every mistake in one message.
 */
export function inputs(
  text: (name: string) => string | undefined,
  flag: (name: string) => boolean,
  variables: Variables,
): Wishes {
  const mistakes: string[] = [];
  const one = <T extends string>(name: string, fallback: T, words: readonly T[]): T => {
    const value = (text(name) ?? fallback).trim();
    const word = words.find((word) => word === value);
    if (word === undefined) mistakes.push(`input \`${name}\` is none of: ${words.join(", ")}`);
    return word ?? fallback;
  };
  const line = (name: string): string => {
    const value = (text(name) ?? "").trim();
    if (/[\r\n\0]/.test(value)) mistakes.push(`input \`${name}\` has more than one line`);
    return value;
  };

  const chosen = one("scan", "auto", ["auto", "diff", "history", "files"]);
  const kind = chosen === "auto" ? kindOf(variables) : chosen;
  const paths = lines(text("paths"));
  if (kind !== "files" && paths.length > 0) mistakes.push("input `paths` is for `scan: files` only");

  const further = lines(text("arguments"));
  for (const [flags, why] of REFUSED) {
    const isRefused = (argument: string) =>
      flags.some((flag) => argument === flag || argument.startsWith(flag.startsWith("--") ? `${flag}=` : flag));
    if (further.some(isRefused)) mistakes.push(`input \`arguments\`: ${why}`);
  }

  const config = line("config");
  const confidence = one("confidence", "default", ["default", "low", "medium", "high"]);
  const failOn = one("failOn", "findings", ["findings", "incomplete", "never"]);
  const origin = originOf(line("keytrailPath"), line("releaseUrl"), line("releaseSha256"), mistakes);
  const artifactFile = line("artifactFile") || "keytrail.sarif";
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*\.sarif$/.test(artifactFile)) {
    mistakes.push("input `artifactFile` is no file name of letters, digits, `.`, `_` and `-` that ends in .sarif");
  }
  const home = variables["BUILD_SOURCESDIRECTORY"] ?? variables["SYSTEM_DEFAULTWORKINGDIRECTORY"] ?? process.cwd();
  const workingDirectory = path.resolve(home, line("workingDirectory"));
  const includeTests = flag("includeTests");
  const publishArtifact = text("publishArtifact") === undefined || flag("publishArtifact");
  if (mistakes.length > 0) throw new Error(mistakes.join("; "));

  return {
    kind,
    paths,
    workingDirectory,
    arguments: [
      ...(confidence === "default" ? [] : ["--confidence", confidence]),
      ...(config === "" ? [] : ["--config", path.resolve(workingDirectory, config)]),
      ...(includeTests ? ["--include-tests"] : []),
      ...further,
    ],
    failOn,
    origin,
    publishArtifact,
    artifactFile,
  };
}

/** What `auto` means for this build. */
function kindOf(variables: Variables): Kind {
  switch (variables["BUILD_REASON"]) {
    case "PullRequest":
      return "diff";
    case "IndividualCI":
    case "BatchedCI":
      // Nothing tells what a main branch held before the push.
      return MAIN_BRANCHES.includes(variables["BUILD_SOURCEBRANCH"] ?? "") ? "history" : "diff";
    default:
      return "history";
  }
}

/** Where the program comes from; adds to `mistakes`. */
function originOf(file: string, url: string, sha256: string, mistakes: string[]): Origin {
  if (url === "" && sha256 === "") return file === "" ? { from: "path" } : { from: "file", file };
  if (file !== "") mistakes.push("inputs `keytrailPath` and `releaseUrl` exclude each other");
  // What is downloaded is run, so it must be named by its digest.
  if (!/^https:\/\/[^\s/]+\/\S+$/.test(url)) mistakes.push("input `releaseUrl` is no link that starts with https://");
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    mistakes.push("input `releaseSha256` is not 64 hexadecimal digits in lower case: without them nothing is downloaded");
  }
  return { from: "link", url, sha256 };
}

/** The lines that hold something, as they are but for a carriage return. */
function lines(value: string | undefined): string[] {
  return (value ?? "").split(/\r?\n/).filter((line) => line !== "");
}
