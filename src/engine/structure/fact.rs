//! Writing down what a check has read: bounded texts, times as seconds since 1970, and nothing that is secret.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use crate::finding::Facts;

/// Longest text of one fact, in characters; the rest is cut and marked with `…`. Token fields are names, ids and
/// lists of them; a page of text in one is noise in every report.
const LONGEST: usize = 200;

/// The last second of year 9999. Later times are nonsense that no report could print.
const LAST_SECOND: i64 = 253_402_300_799;

/// Adds a named fact; an empty text adds nothing.
pub(crate) fn note(facts: &mut Facts, name: &'static str, value: impl AsRef<str>) {
    let value = value.as_ref().trim();
    if value.is_empty() {
        return;
    }
    let text = match value.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &value[..cut]),
        None => value.to_owned(),
    };
    facts.named.insert(name.into(), text);
}

/// Drops every fact that repeats `secret`: a user name equal to the password, a host made from the key.
///
/// Secrets under four bytes only drop facts that equal them: they stand inside too many words by chance.
pub(crate) fn withhold(facts: &mut Facts, secret: &[u8]) {
    if secret.is_empty() {
        return;
    }
    facts.named.retain(|_, value| {
        let value = value.as_bytes();
        value != secret && (secret.len() < 4 || memchr::memmem::find(value, secret).is_none())
    });
}

/// `seconds` since 1970 if a calendar with four-digit years can show it and it isn't before 1970.
pub(crate) fn epoch(seconds: i64) -> Option<i64> {
    (0..=LAST_SECOND).contains(&seconds).then_some(seconds)
}

/// The second that a decimal epoch number in `text` names.
pub(crate) fn epoch_text(text: &str) -> Option<i64> {
    text.parse().ok().and_then(epoch)
}

/// The second, UTC, that an ISO 8601 time names: extended or basic, with or without seconds, offset or time of day.
/// Without an offset it is taken as UTC, as the cloud services do.
pub(crate) fn iso_time(text: &str) -> Option<i64> {
    let seconds = match text.parse::<Timestamp>() {
        Ok(instant) => instant.as_second(),
        Err(_) => {
            let civil: DateTime = text.parse().ok()?;
            Offset::UTC.to_timestamp(civil).ok()?.as_second()
        }
    };
    epoch(seconds)
}

/// The first second, UTC, of a month (1–12).
pub(crate) fn month(year: i16, month: i8) -> Option<i64> {
    let first = Date::new(year, month, 1).ok()?.at(0, 0, 0, 0);
    Offset::UTC.to_timestamp(first).ok().and_then(|instant| epoch(instant.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_service_are_read() {
        for (text, expected) in [
            ("2026-01-01T00:00:00Z", Some(1_767_225_600)),
            ("2026-01-01T00:00Z", Some(1_767_225_600)),
            ("2026-01-01", Some(1_767_225_600)),
            ("2026-01-01T00:00:00.0000000Z", Some(1_767_225_600)),
            ("2026-01-01T01:00:00+01:00", Some(1_767_225_600)),
            ("20260101T000000Z", Some(1_767_225_600)),
            ("2026-13-01", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(iso_time(text), expected, "{text}");
        }
        assert_eq!(month(2026, 1), Some(1_767_225_600));
        assert_eq!(month(2026, 13), None);
        assert_eq!(epoch_text("253402300800"), None);
        assert_eq!(epoch_text("-1"), None);
    }

    #[test]
    fn facts_are_bounded_and_never_repeat_the_secret() {
        let mut facts = Facts::default();
        note(&mut facts, "issuer", "ü".repeat(500));
        note(&mut facts, "account", " sa ");
        note(&mut facts, "resource", "db-hunter2.example");
        note(&mut facts, "tenant", "  ");
        assert_eq!(facts.named["issuer"].chars().count(), 201);
        assert!(!facts.named.contains_key("tenant"));
        withhold(&mut facts, b"");
        assert_eq!(facts.named.len(), 3);
        withhold(&mut facts, b"sa");
        withhold(&mut facts, b"hunter2");
        assert_eq!(facts.named.keys().map(|name| &**name).collect::<Vec<_>>(), ["issuer"]);
    }
}
