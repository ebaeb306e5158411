//! Rules for a path alone: which file names are worth a look. Sources tell names first and their folders later, so of an
//! expression for paths it must be known which names a path that matches can end in.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use super::compiles;

/// A name that no rule means.
const NOBODY: &[u8] = b"/\x01~\x02";

/// Longest expression that is made, in bytes.
const LONGEST: usize = 64 << 10;

/// The expression of the names, each behind a slash, that a path can end in which `path` matches. It takes in some
/// others too.
///
/// # Errors
/// Any name would do, or there are too many ways.
pub(super) fn names(path: &str) -> Result<String, String> {
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(path).map_err(|error| error.to_string())?;
    // A file that lies in no folder has no slash before its name.
    let slash = Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(Hir::literal(*b"/")) };
    let ends = Hir::concat(vec![Hir::look(Look::Start), Hir::repetition(slash), ends(&hir)]);
    let alone = ends.to_string();
    let names = Hir::alternation(vec![hir, ends]).to_string();
    if names.len() > LONGEST || compiles(&names).is_err() {
        return Err("its `path` is too long for a rule without a `regex`".to_owned());
    }
    let wide = regex(&alone)?.is_match(NOBODY);
    if wide {
        return Err(
            "its `path` doesn't say how the path of a file ends, so that every file would have to be looked at: \
                    end it with `$`, and write `[^/]*` for `.*`"
                .to_owned(),
        );
    }
    Ok(names)
}

/// Compiles an expression of ours.
fn regex(pattern: &str) -> Result<regex_automata::meta::Regex, String> {
    regex_automata::meta::Regex::builder()
        .syntax(regex_automata::util::syntax::Config::new().unicode(false).utf8(false))
        .build(pattern)
        .map_err(|_| "its `path` is too large".to_owned())
}

/// What is left of a match of `hir` from some point on. What must stand at the end of the text still must.
fn ends(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(Look::End) => hir.clone(),
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            Hir::alternation((0..=literal.0.len()).map(|from| Hir::literal(&literal.0[from..])).collect())
        }
        HirKind::Class(_) => Hir::alternation(vec![hir.clone(), Hir::empty()]),
        HirKind::Capture(Capture { sub, .. }) => ends(sub),
        HirKind::Repetition(repetition) => {
            let further = Hir::repetition(Repetition {
                min: 0,
                max: repetition.max.map(|max| max.saturating_sub(1)),
                ..repetition.clone()
            });
            Hir::alternation(vec![Hir::concat(vec![ends(&repetition.sub), further]), Hir::empty()])
        }
        HirKind::Concat(parts) => {
            let from = |at: usize| Hir::concat([&[ends(&parts[at])], &parts[at + 1..]].concat());
            Hir::alternation((0..parts.len()).map(from).collect())
        }
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(ends).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::translate;
    use super::*;

    #[test]
    fn names_that_a_path_may_end_in_are_worth_a_look() {
        for (path, name, expected) in [
            (r"\.p12$", "a.p12", true),
            (r"\.p12$", "a.p12.txt", false),
            (r"(?i)\.(?:p12|pfx)$", "A.PFX", true),
            (r"(^|/)id_rsa$", "id_rsa", true),
            (r"(^|/)id_rsa$", "my_id_rsa", false),
            (r"^config/[^/]*\.key$", "a.key", true),
            (r"^config/[^/]*\.key$", "a.txt", false),
            (r"^a/b/.*/c$", "c", true),
            (r"^a/b/c$", "b", false),
            (r"^Vaultfile$", "Vaultfile", true),
            (r"(?:x/){2,3}y$", "y", true),
            (r"(?:x|y/z)+$", "z", true),
            (r"(?:x|y/z)+$", "zx", true),
            (r"(?:x|y/z)+$", "a", false),
        ] {
            let go = translate(path).expect("it can be read");
            let names = names(&go.pattern).unwrap_or_else(|reason| panic!("{path}: {reason}"));
            let found = regex(&names).expect("it compiles").is_match(format!("/{name}").as_bytes());
            assert_eq!(found, expected, "{path} on {name}");
        }
    }

    #[test]
    fn no_path_that_matches_has_a_name_that_is_passed_over() {
        let pieces = ["a", "b", "/", ".", "[^/]", ".*", "(?:a|/b)", "x?", "(?:b/)*", "^", "$"];
        let letters = ["a", "b", "/", ".", "x"];
        let mut state = 9_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut held = 0;
        for _ in 0..2_000 {
            let path = (0..4).map(|_| pieces[next(pieces.len())]).collect::<String>() + "$";
            let go = translate(&path).expect("it can be read").pattern;
            let (Ok(names), whole) = (names(&go), regex(&go).expect("it compiles")) else { continue };
            let names = regex(&names).expect("it compiles");
            for _ in 0..60 {
                let text = (0..1 + next(6)).map(|_| letters[next(letters.len())]).collect::<String>();
                if whole.is_match(text.as_bytes()) && !text.ends_with('/') {
                    held += 1;
                    let name = text.rsplit('/').next().unwrap_or_default();
                    assert!(names.is_match(format!("/{name}").as_bytes()), "{path} on {text}");
                }
            }
        }
        assert!(held > 500, "only {held} paths matched");
    }

    #[test]
    fn paths_that_may_end_in_anything_are_refused() {
        for path in [r"\.env", "^config/", r"(^|/)\.env(\..*)?$", ".*", "a|b$"] {
            let go = translate(path).expect("it can be read");
            assert!(names(&go.pattern).is_err_and(|reason| reason.contains("how the path")), "{path}");
        }
    }
}
