//! One integration binary; each topic is a module. Everything but `sample` and `reports` runs the built program, black
//! box, on what the real git and the real file system make.

// What the others stand on: workspace, runs, secrets made at run time, the checks that hold for every run.
mod harness;

// 26 places to hide a secret in: working repository, repacked, mirrored.
mod torture;
// The index: contents, renames, merges, hooks.
mod staged;
// Versions of files by what changed between them, and in full.
mod edits;
// What earlier scans found clean is left out, and nothing else.
mod cache;
// Ranges: named, told by pipelines, pushed; whose word counts.
mod diff;
// Folders, files, standard input.
mod files;
// Id and secret, host, user and password: one finding that says what it opens.
mod pairs;
// Secrets in encodings.
mod views;
// Values that were found, where nothing tells them.
mod elsewhere;
// Mounted disks of machines.
mod image;

// Configuration: where it is found and what it decides.
mod config;
// Accepted findings, and markers on lines.
mod baseline;
mod markers;

// Rewrites planned, done, and proven.
mod purge;

// Rule files in gitleaks' format; rules shown and tested; why something is or isn't found.
mod explain;
mod gitleaks;
mod rules;

// What can't be read or isn't right: exit 2 or 3, named, never clean.
mod failure;
// Names and texts that want to be obeyed.
mod hostile;
// Nothing printed holds a secret.
mod leak;
// Replace refs, configuration, attributes, hooks: nothing is hidden, nothing is run.
mod inert;
// Git hooks and the pre-commit framework; completions and man pages.
#[cfg(unix)]
mod hooks;
// Same bytes out, whatever the number of threads.
mod determinism;
// Whose recommendation a finding belongs to.
mod recommend;

// A report made by hand, and every format's writing of it.
mod reports;
mod sample;
// CSV, JUnit, GitLab, Markdown, annotations, read back by others.
mod formats;
// The HTML page, in a browser.
mod html;
// Reports read back, put together, converted, split.
mod merged;

// SARIF of real scans, and judges that are not ours.
mod sarif;
mod validators;

// The GitHub Action and the Azure Pipelines task.
#[cfg(unix)]
mod pipelines;

// Rooms import along the flow.
mod rooms;
// The suite about itself.
mod suite;
