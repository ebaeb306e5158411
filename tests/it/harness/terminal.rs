//! Searches what goes to a terminal, a build log or a report for bytes that these would obey.
//!
//! Build agents read commands from both streams of a step. Azure Pipelines looks for `##vso[` **anywhere** in a line
//! (`Command.TryParse` in microsoft/azure-pipelines-agent takes the first index of the prefix); GitHub's runner takes
//! `::command::` after leading white space and the old `##[command]` anywhere (`src/Runner.Common/ActionCommand.cs` in
//! actions/runner: `TryParseV2`, `TryParse`). Both read 2026-11.

/// What is wrong with `bytes` as lines of a log, one sentence each; empty when nothing is.
pub(crate) fn check(bytes: &[u8]) -> Vec<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return vec![format!("not UTF-8 from byte {} on", error.valid_up_to())],
    };
    let mut wrong = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let number = number + 1;
        if let Some(bad) = line.chars().find(|&c| is_obeyed(c)) {
            wrong.push(format!("line {number} holds U+{:04X}", u32::from(bad)));
        }
        if line.trim_start().starts_with("::") {
            wrong.push(format!("line {number} starts with `::`"));
        }
        let lower = line.to_ascii_lowercase();
        for command in ["##vso[", "##[", "##teamcity["] {
            if lower.contains(command) {
                wrong.push(format!("line {number} holds `{command}`"));
            }
        }
    }
    wrong
}

/// Whether a terminal, editor or reviewer's screen would act on this character instead of showing it: controls (but
/// tab), line separators, what reorders text, and what has no width (a command's prefix could hide behind it).
fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[test]
fn commands_and_controls_are_seen() {
    let bad: [&[u8]; 11] = [
        b"a\n##vso[task.setvariable variable=x]y",
        b"a ##VSO[task.complete]",
        b"  ::stop-commands::x",
        b"\t::error::x",
        b"said ##[error]x",
        b"\x1b[31mred",
        b"over\rwritten",
        "\u{202e}txt.exe".as_bytes(),
        "\u{9b}31m".as_bytes(),
        "\u{2028}".as_bytes(),
        b"caf\xe9",
    ];
    for bytes in bad {
        assert_ne!(check(bytes), Vec::<String>::new(), "{}", bytes.escape_ascii());
    }
    for fine in ["a\n\tb::c ‹redacted› ü …\n", "## vso[x", "{\"a\":\"\\u001b\\u202e\"}\n", ""] {
        assert_eq!(check(fine.as_bytes()), Vec::<String>::new(), "{fine}");
    }
}
