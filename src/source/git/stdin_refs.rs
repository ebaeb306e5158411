//! The lines git writes to the standard input of its push hooks.
//!
//! In: the bytes of `pre-push` or `pre-receive` (`post-receive` and `proc-receive` write the same as the latter). Out:
//! one [`RefUpdate`] a line, seen from the receiving side. Nothing is looked up here. A line that isn't one is an
//! error: no push passes because its line wasn't understood.
//! Source: githooks(5), sections "pre-push" and "pre-receive", git 2.47, read 2026-11.

use std::fmt;

use gix::ObjectId;

/// One ref that a push changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    /// The ref on the receiving side: raw bytes, full name.
    pub(crate) name: Vec<u8>,
    /// What it holds before the push; `None` when the push creates it.
    pub(crate) old: Option<ObjectId>,
    /// What it holds after the push; `None` when the push deletes it.
    pub(crate) new: Option<ObjectId>,
}

/// A line that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// Which line, 1-based.
    line: usize,
    /// What it should look like.
    form: &'static str,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "standard input, line {}: expected `{}`", self.line, self.form)
    }
}

/// The form of a `pre-push` line.
const PRE_PUSH: &str = "<local ref> <local object id> <remote ref> <remote object id>";

/// The form of a `pre-receive` line.
const PRE_RECEIVE: &str = "<old object id> <new object id> <ref>";

/// Reads the lines of `pre-push`. No line at all is a push that changes nothing.
///
/// The first field may be any expression the user typed (`HEAD^{/fix typo}`), blanks included, so the line is read
/// from its end.
///
/// # Errors
/// The first line that hasn't this form.
pub(crate) fn pre_push(input: &[u8]) -> Result<Vec<RefUpdate>, BadLine> {
    read(input, PRE_PUSH, |line| {
        let mut fields = line.rsplitn(4, |&byte| byte == b' ');
        let old = id(fields.next()?)?;
        let name = fields.next()?;
        let new = id(fields.next()?)?;
        let local = fields.next()?;
        (!local.is_empty() && !name.is_empty()).then(|| RefUpdate { name: name.to_vec(), old, new })
    })
}

/// Reads the lines of `pre-receive`.
///
/// # Errors
/// The first line that hasn't this form.
pub(crate) fn pre_receive(input: &[u8]) -> Result<Vec<RefUpdate>, BadLine> {
    read(input, PRE_RECEIVE, |line| {
        let mut fields = line.splitn(3, |&byte| byte == b' ');
        let old = id(fields.next()?)?;
        let new = id(fields.next()?)?;
        let name = fields.next()?;
        (!name.is_empty()).then(|| RefUpdate { name: name.to_vec(), old, new })
    })
}

/// Reads every line of `input` with `one`. The last line may lack its `\n`.
fn read(input: &[u8], form: &'static str, one: impl Fn(&[u8]) -> Option<RefUpdate>) -> Result<Vec<RefUpdate>, BadLine> {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    if input.is_empty() {
        return Ok(Vec::new());
    }
    input
        .split(|&byte| byte == b'\n')
        .enumerate()
        .map(|(at, line)| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            one(line).ok_or(BadLine { line: at + 1, form })
        })
        .collect()
}

/// A full object id in hex, SHA-1 or SHA-256; all zeros is `Some(None)`. What is no id is `None`.
fn id(hex: &[u8]) -> Option<Option<ObjectId>> {
    let id = ObjectId::from_hex(hex).ok()?;
    Some((!id.is_null()).then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 times the digit `digit`.
    fn hex(digit: &str) -> String {
        digit.repeat(40)
    }

    /// The id that [`hex`] spells.
    fn object(digit: &str) -> Option<ObjectId> {
        Some(ObjectId::from_hex(hex(digit).as_bytes()).expect("40 hex digits"))
    }

    #[test]
    fn pre_push_lines_are_read_from_their_end() {
        let update = |old, new| RefUpdate { name: b"refs/heads/x".to_vec(), old, new };
        let (a, b, zero) = (hex("a"), hex("b"), hex("0"));
        let cases = [
            (format!("refs/heads/x {a} refs/heads/x {b}\n"), update(object("b"), object("a"))),
            (format!("refs/heads/x {a} refs/heads/x {zero}\n"), update(None, object("a"))),
            (format!("(delete) {zero} refs/heads/x {b}"), update(object("b"), None)),
            (format!("HEAD^{{/fix a typo}} {a} refs/heads/x {b}\r\n"), update(object("b"), object("a"))),
        ];
        for (line, expected) in cases {
            assert_eq!(pre_push(line.as_bytes()), Ok(vec![expected]), "{line}");
        }
        let two = format!("a {a} refs/heads/a {zero}\nb {b} refs/heads/b {zero}\n");
        assert_eq!(pre_push(two.as_bytes()).expect("two lines").len(), 2);
        assert_eq!(pre_push(b""), Ok(vec![]));
    }

    #[test]
    fn pre_receive_lines_hold_old_new_and_a_raw_name() {
        let (a, zero) = (hex("a"), hex("0"));
        let line = [format!("{zero} {a} ").as_bytes(), b"refs/heads/\xff\n"].concat();
        let expected = RefUpdate { name: b"refs/heads/\xff".to_vec(), old: None, new: object("a") };
        assert_eq!(pre_receive(&line), Ok(vec![expected]));
        let sha256 = "c".repeat(64);
        assert!(pre_receive(format!("{sha256} {sha256} refs/heads/x\n").as_bytes()).is_ok());
    }

    #[test]
    fn a_malformed_line_is_an_error_that_names_the_line() {
        let (a, b) = (hex("a"), hex("b"));
        let good = format!("r {a} r {b}\n");
        let bad = [
            "\n".to_owned() + &good,
            format!("{good}\n\n"),
            format!("{good}r {a} r"),
            format!("{good}r {a}0 r {b}\n"),
            format!("{good} {a} r {b}\n"),
            format!("r  {a}  {b}\n"),
            "refs/heads/x main refs/heads/x main\n".to_owned(),
        ];
        for input in bad {
            assert!(pre_push(input.as_bytes()).is_err(), "{input:?}");
        }
        let error = pre_push(format!("{good}junk\n").as_bytes()).expect_err("junk is no line");
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(pre_receive(format!("{a} {b} \n").as_bytes()).is_err());
        assert!(pre_receive(format!("{a} {b}\n").as_bytes()).is_err());
    }
}
