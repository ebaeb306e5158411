//! One secret seen in several texts of a blob (in clear and in views, or in views alone) is one match, and names in what
//! programs send each other are doubted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{DOUBTFUL, Engine, Match};
use crate::finding::Validity;
use crate::location::Span;
use crate::rule::Confidence;
use crate::view::{Trust, View};

/// Specificity up to which a rule knows nothing but the name that a value is assigned to.
const GENERIC: u32 = 10;

impl Engine {
    /// Settles which of the matches that lie on the same bytes of the blob counts. The others are dropped, which keeps
    /// them masked: most of them are the same value, encoded or decoded.
    ///
    /// The better known one counts: what is reported before what isn't, what a checksum proves, a value whose place says
    /// that it is encoded, the more specific rule; else what stands there in clear.
    pub(super) fn own_across(&self, views: &[View], matches: &mut [Match]) {
        if views.is_empty() {
            return;
        }
        matches.iter_mut().filter(|found| found.view > 0).for_each(|found| self.doubt(&views[found.view - 1], found));
        let mut order: Vec<usize> = (0..matches.len()).filter(|&at| !matches[at].dropped).collect();
        order.sort_by_key(|&at| {
            let found = &matches[at];
            let reported = Confidence::of(found.confidence) > Confidence::Low;
            let proven = found.validity == Validity::FormatProven;
            let is_value = trust(views, found) == Trust::Value;
            let specificity = self.detectors[found.rule].rule.specificity;
            (Reverse((reported, proven, is_value, specificity)), found.view, found.raw.secret)
        });
        // Those that count, by where they start in the blob: they never overlap.
        let mut owners: BTreeMap<usize, (Span, usize)> = BTreeMap::new();
        for at in order {
            let span = in_blob(views, &matches[at]);
            let before = owners.range(..span.end).next_back().map(|(_, owner)| *owner);
            match before.filter(|(owner, _)| owner.overlaps(span)) {
                None if span.is_empty() => {}
                None => {
                    owners.insert(span.start, (span, at));
                }
                Some((_, owner)) => {
                    let rule = matches[at].rule;
                    matches[at].dropped = true;
                    matches[at].reasons.push("it is a part of a secret that is better known in another encoding");
                    let owner = &mut matches[owner];
                    if owner.rule != rule && !owner.also.contains(&rule) {
                        owner.also.push(rule);
                        owner.also.sort_unstable();
                    }
                }
            }
        }
    }

    /// Doubts what a rule that knows only names sees in a payload, and believes it where the place says that the value is a
    /// secret; letters alone may be a name even there.
    fn doubt(&self, view: &View, found: &mut Match) {
        let is_generic = self.detectors[found.rule].rule.specificity <= GENERIC;
        if is_generic && !found.dropped && view.trust(found.raw.secret) == Trust::Payload {
            found.confidence = found.confidence.min(DOUBTFUL);
            found.reasons.push("it stands in encoded data that nothing calls secret");
        }
        let secret = found.raw.secret;
        let is_value = is_generic && !found.dropped && view.trust(secret) == Trust::Value;
        if is_value && view.text[secret.start..secret.end].iter().any(u8::is_ascii_digit) {
            found.confidence = found.confidence.max(Confidence::Medium.percent());
        }
    }
}

/// How the text of a match is to be taken.
fn trust(views: &[View], found: &Match) -> Trust {
    found.view.checked_sub(1).map_or(Trust::Text, |view| views[view].trust(found.raw.secret))
}

/// The bytes of the blob that belong to a match's secret alone.
pub(super) fn in_blob(views: &[View], found: &Match) -> Span {
    found.view.checked_sub(1).map_or(found.raw.secret, |view| views[view].inside_blob(found.raw.secret))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::engine::{Scanned, built_in_rules, reference};
    use crate::specimen::expand;

    fn engine() -> Engine {
        Engine::new(built_in_rules()).expect("the built-in rules make an engine")
    }

    /// Rule, view, value and confidence of what counts in a text.
    fn counted(engine: &Engine, text: &[u8]) -> Vec<(String, String, Vec<u8>, u8)> {
        let Scanned { views, matches, .. } = engine.scan(text);
        assert_eq!(matches, reference::scan(engine, text).matches);
        let counts: Vec<&Match> = matches.iter().filter(|found| !found.dropped).collect();
        assert!(counts.is_empty() || matches == engine.follow(None, text).0.matches);
        counts
            .into_iter()
            .map(|found| {
                let view = found.view.checked_sub(1).map(|view| &views[view]);
                let text = view.map_or(text, |view| &view.text);
                let Span { start, end } = found.raw.secret;
                let value = found.raw.decoded.clone().unwrap_or_else(|| text[start..end].to_vec());
                let view = view.map(|view| view.name.to_string()).unwrap_or_default();
                (engine.rule(found.rule).id.to_string(), view, value, found.confidence)
            })
            .collect()
    }

    #[test]
    fn a_secret_in_two_texts_is_one_match() {
        let engine = engine();
        let token = expand("<<github:ghp_>>", 3).expect("a template");
        let encoded = STANDARD.encode(&token);
        let word = ["pass", "word"].concat();
        let value = b"kX9!mmq2zzLq".to_vec();
        let twice = STANDARD.encode(format!("the token: {encoded}, twice"));
        /// The rule.
        const GENERAL: &str = "generic-password";
        let cases: [(String, &str, &str, &[u8]); 9] = [
            (format!("api_token = \"{encoded}\"\n"), "github-pat", "base64", &token),
            (format!("data: {twice}\n"), "github-pat", "base64 in base64", &token),
            (format!("x = \"a\\n{}\\n\"", String::from_utf8_lossy(&token)), "github-pat", "escapes", &token),
            (format!("x?t%3D{}&y", String::from_utf8_lossy(&token)), "github-pat", "percent", &token),
            (format!("x%3D1&t={}&y", String::from_utf8_lossy(&token)), "github-pat", "", &token),
            (format!("x?{word}%3DkX9!mmq2zzLq"), GENERAL, "percent", &value),
            (format!("<a>{word}=&quot;kX9!mmq2zzLq&quot;"), GENERAL, "html", &value),
            (format!("\"{{\\u0022{word}\\u0022: \\u0022kX9!mmq2zzLq\\u0022}}\""), GENERAL, "escapes", &value),
            (
                format!("apiVersion: v1\nkind: Secret\ndata:\n  {word}: {}\n", STANDARD.encode(&value)),
                GENERAL,
                "base64",
                &value,
            ),
        ];
        for (text, rule, view, secret) in cases {
            let found = counted(&engine, text.as_bytes());
            let [(name, place, value, confidence)] = found.as_slice() else { panic!("{text}: {found:?}") };
            assert_eq!((name.as_str(), place.as_str(), value.as_slice()), (rule, view, secret), "{text}");
            assert!(*confidence >= 50, "{text}");
        }
        let text = format!("api_token = \"{encoded}\"\n");
        let matches = engine.scan(text.as_bytes()).matches;
        let also: Vec<&str> =
            matches.iter().flat_map(|one| &one.also).map(|&rule| engine.rule(rule).id.as_ref()).collect();
        assert_eq!(also, ["generic-secret"], "what else saw it is told");
    }

    #[test]
    fn what_rules_decode_themselves_is_not_seen_twice() {
        let engine = engine();
        let basic = STANDARD.encode("someuser:kX9mmq2zzLq7Rt5vB2nM8");
        for (text, rule) in [
            (format!("Authorization: Basic {basic}\n").into_bytes(), "http-basic-authorization"),
            (expand("Authorization: Bearer <<jwt>>\n", 4).expect("a template"), "jwt"),
        ] {
            let found = counted(&engine, &text);
            assert!(found.len() == 1 && found[0].1.is_empty(), "{rule}: {found:?}");
        }
    }

    #[test]
    fn names_in_payloads_are_doubted_unless_something_calls_them_secret() {
        let engine = engine();
        let (name, value) = (["access_", "token"].concat(), "kX9mmq2zzLq7Rt5vB2nM8");
        let json = STANDARD.encode(format!("{{\"{name}\": \"{value}\", \"more\": 12345}}"));
        for (text, sure) in [(format!("cursor={json}"), false), (format!("LOGIN_CONFIG={json}"), true)] {
            let found = counted(&engine, text.as_bytes());
            assert!(found.iter().any(|(.., confidence)| (*confidence >= 50) == sure), "{text}: {found:?}");
        }
        let token = expand("<<github:ghp_>>", 3).expect("a template");
        let json = STANDARD.encode(format!("{{\"t\": \"{}\"}}", String::from_utf8_lossy(&token)));
        assert!(counted(&engine, format!("cursor={json}").as_bytes())[0].3 >= 50, "what is known by its form is sure");
    }

    #[test]
    fn a_value_is_found_again_in_the_same_text() {
        let engine = engine();
        let value = "kX9mmq2zzLq7Rt5vB2nM8";
        let word = ["pass", "word"].concat();
        let text = format!("{word} = \"{value}\"\nrun --as root {value}\nx{value} {value}y\n'{value}'\n");
        let found = counted(&engine, text.as_bytes());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|(rule, .., secret, _)| rule == "generic-password" && secret == value.as_bytes()));
        let sure: Vec<bool> = found.iter().map(|(.., confidence)| *confidence >= 50).collect();
        assert_eq!(sure, [true, false, false], "alone they would be nothing");
        // Decoded here, in clear there.
        let secret =
            format!("apiVersion: v1\nkind: Secret\ndata:\n  {word}: {}\n# was {value}\n", STANDARD.encode(value));
        let found = counted(&engine, secret.as_bytes());
        assert_eq!(found.iter().map(|(_, view, ..)| view.as_str()).collect::<Vec<_>>(), ["", "base64"], "{found:?}");
        let plain = format!("{word} = \"hunterhunter\"\nthe hunterhunter is a word\n");
        assert!(counted(&engine, plain.as_bytes()).len() < 2, "words stand anywhere");
    }
}
