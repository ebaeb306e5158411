//! Shell completions and man pages, made from the definition of the flags.
//!
//! In: that definition. Out: texts. Both generators know nothing of hidden flags or list them all the same, so they get
//! a copy without what is hidden.

use clap::Command;
use clap_complete::Shell;

use super::args;

/// One man page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManPage {
    /// Its file's name: `keytrail-staged.1`.
    pub file: String,
    /// Its text, in roff.
    pub roff: Vec<u8>,
}

/// A script that has `shell` complete keytrail's commands and flags.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&args::command()), "keytrail", &mut script);
    String::from_utf8(script).expect("help texts and flags are UTF-8")
}

/// The page of keytrail itself, then one for each command and command of a command.
pub fn man_pages() -> Vec<ManPage> {
    let mut command = visible(&args::command());
    command.build();
    let mut pages = Vec::new();
    add_pages(&command, &mut pages);
    pages
}

/// Adds the page of `command` and those below it.
fn add_pages(command: &Command, pages: &mut Vec<ManPage>) {
    let version = env!("CARGO_PKG_VERSION");
    let man = clap_mangen::Man::new(command.clone()).source(format!("keytrail {version}")).manual("keytrail");
    let mut roff = Vec::new();
    man.render(&mut roff).expect("writing to memory doesn't fail");
    pages.push(ManPage { file: man.get_filename(), roff: with_empty_date(roff) });
    for below in command.get_subcommands() {
        add_pages(below, pages);
    }
}

/// A page whose title has an empty date: the generator writes nothing there, and the next word is taken for it.
fn with_empty_date(roff: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(roff).expect("help texts are UTF-8");
    text.replacen(" 1  \"keytrail ", " 1 \"\" \"keytrail ", 1).into_bytes()
}

/// The same command without hidden flags and commands.
fn visible(command: &Command) -> Command {
    let mut copy = Command::new(command.get_name().to_owned()).disable_help_subcommand(true);
    copy = copy.subcommand_required(command.is_subcommand_required_set());
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        copy = copy.long_about(about.clone());
    }
    if let Some(after) = command.get_after_help() {
        copy = copy.after_help(after.clone());
    }
    let args = command.get_arguments().filter(|arg| !arg.is_hide_set());
    copy.args(args.cloned()).subcommands(command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(visible))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that may be typed after `command`, and what may not be told of: words, from this command and those below.
    fn told(command: &Command, shown: &mut Vec<String>, hidden: &mut Vec<String>) {
        for arg in command.get_arguments() {
            let list = if arg.is_hide_set() { &mut *hidden } else { &mut *shown };
            list.extend(arg.get_long().map(|long| format!("--{long}")));
        }
        for below in command.get_subcommands() {
            if below.is_hide_set() {
                hidden.push(below.get_name().to_owned());
            } else {
                shown.push(below.get_name().to_owned());
                told(below, shown, hidden);
            }
        }
    }

    /// What is visible and what is hidden everywhere.
    fn lists() -> (Vec<String>, Vec<String>) {
        let (mut shown, mut hidden) = (Vec::new(), Vec::new());
        told(&args::command(), &mut shown, &mut hidden);
        hidden.retain(|word| !shown.contains(word));
        assert!(shown.len() > 40 && hidden.len() > 2, "{shown:?} {hidden:?}");
        (shown, hidden)
    }

    #[test]
    fn completions_name_every_visible_word_and_no_hidden_one() {
        let (shown, hidden) = lists();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let script = completions(shell);
            for word in &shown {
                // fish names long flags without their dashes.
                let word = if shell == Shell::Fish { word.trim_start_matches('-') } else { word };
                assert!(script.contains(word), "{shell}: {word}");
            }
            for word in &hidden {
                let word = word.trim_start_matches('-');
                assert!(!script.contains(&format!("--{word}")), "{shell}: {word}");
                assert!(!script.contains(&format!("keytrail__{word}")), "{shell}: {word}");
                assert!(!script.contains(&format!("-l {word} ")), "{shell}: {word}");
            }
        }
    }

    #[test]
    fn every_command_has_a_page_with_every_visible_flag() {
        fn check(command: &Command, name: &str, pages: &[ManPage], seen: &mut usize) {
            let page = pages.iter().find(|page| page.file == format!("{name}.1")).expect(name);
            let text = String::from_utf8_lossy(&page.roff).replace("\\-", "-");
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long() else { continue };
                let tells = text.contains(&format!("--{long}\\f")) || text.contains(&format!("--{long} "));
                assert_eq!(tells, !arg.is_hide_set(), "{name} --{long}\n{text}");
            }
            *seen += 1;
            for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
                check(below, &format!("{name}-{}", below.get_name()), pages, seen);
            }
        }
        let pages = man_pages();
        let mut seen = 0;
        check(&args::command(), "keytrail", &pages, &mut seen);
        assert_eq!(seen, pages.len());
        assert!(seen > 15, "{seen}");
    }
}
