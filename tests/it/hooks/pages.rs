//! Completions as shells load them, man pages as `man`'s own judge reads them.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Workspace, keytrail, tool};

#[test]
fn bash_completes_commands_and_flags() {
    let Some(bash) = tool("bash") else { return };
    let workspace = Workspace::new();
    let script = keytrail(["completions", "bash"]).go().exits(0).stdout;
    let script = workspace.write("keytrail.bash", script);
    // What a press of the tabulator would offer after these words.
    let offered = |words: &[&str]| {
        let line = format!(
            "source '{}' && complete -p keytrail >/dev/null && COMP_WORDS=({}) && COMP_CWORD={} && \
             _keytrail keytrail \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\" && \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display(),
            words.join(" "),
            words.len() - 1
        );
        let output = Command::new(&bash).args(["--norc", "--noprofile", "-c", &line]).output().expect("bash starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("flags are ASCII").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(offered(&["keytrail", "sta"]), ["staged"]);
    assert_eq!(offered(&["keytrail", "init", "--un"]), ["--uninstall"]);
    assert_eq!(offered(&["keytrail", "baseline", "pru"]), ["prune"]);
    assert_eq!(offered(&["keytrail", "ben"]), [""], "what is hidden isn't offered");
    assert_eq!(offered(&["keytrail", "staged", "--full"]), [""]);
}

#[test]
fn other_shells_take_their_scripts() {
    for (shell, args) in [("zsh", ["-n"]), ("fish", ["--no-execute"])] {
        let Some(program) = tool(shell) else { continue };
        let workspace = Workspace::new();
        let script = workspace.write("script", keytrail(["completions", shell]).go().exits(0).stdout);
        let output = Command::new(&program).args(args).arg(&script).output().expect("it starts");
        assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        let broken = workspace.write("broken", "if true; (\n");
        assert!(!Command::new(&program).args(args).arg(&broken).output().expect("it starts").status.success());
    }
    keytrail(["completions", "csh"]).go().exits(2).says(&["bash", "powershell"]);
}

#[test]
fn man_pages_are_sound() {
    let workspace = Workspace::new();
    let folder = workspace.path("man/man1");
    keytrail(["man"]).arg(&folder).go().exits(0).says(&["pages to"]);
    let pages: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("it was made").map(|entry| entry.expect("readable").path()).collect();
    assert!(pages.len() > 15, "{pages:?}");
    let main = keytrail(["man"]).go().exits(0).stdout;
    assert_eq!(main, std::fs::read(folder.join("keytrail.1")).expect("it was written"));
    let Some(mandoc) = tool("mandoc") else { return };
    for page in &pages {
        let output = Command::new(&mandoc).args(["-Tlint", "-Wwarning"]).arg(page).output().expect("mandoc starts");
        let said = String::from_utf8_lossy(&output.stdout);
        // The generator's habits, none of which show.
        let known = ["missing date", "skipping paragraph macro", "blank line in fill mode"];
        let wrong: Vec<&str> = said.lines().filter(|line| !known.iter().any(|known| line.contains(known))).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", page.display());
    }
    let html = Command::new(&mandoc).arg("-Thtml").arg(folder.join("keytrail-init.1")).output().expect("mandoc starts");
    let html = String::from_utf8_lossy(&html.stdout);
    assert!(html.contains("--uninstall") && html.contains("put back what was there"), "{html}");
}
