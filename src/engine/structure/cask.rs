//! Microsoft's "common annotated security keys", first public form: made when, by whom, for what.

use super::crc::{BASE62, written};
use super::fact::{month, note};
use super::marvin::{marvin32, seed};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `cask`: the marker stands at its place, year and month are possible, and the last characters are the checksum.
///
/// Source: `LegacyCommonAnnotatedSecurityKey.cs` and `HighConfidenceSecurityModels.json` in
/// <https://github.com/microsoft/security-utilities>; reproduced with public samples.
pub(super) struct Cask;

/// Characters of the random part.
pub(crate) const RANDOM: usize = 52;

impl StructureCheck for Cask {
    fn id(&self) -> &'static str {
        "cask"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        check(token.secret)
    }
}

/// Checks one key.
pub(super) fn check(key: &[u8]) -> Verdict {
    let text = match key {
        [text @ .., b'=', b'='] if key.len() == 88 => text,
        _ if key.len() == 84 => key,
        _ => return Verdict::Fails("neither 84 characters nor 88 with padding"),
    };
    if text[RANDOM..RANDOM + 5] != *b"JQQJ9" {
        return Verdict::Fails("no JQQJ9 at its place");
    }
    let kind = match text[57] {
        b'9' => "key",
        b'D' => "derived key",
        b'H' => "hash of a key",
        _ => return Verdict::Fails("unknown kind of key"),
    };
    if !text[..80].iter().all(u8::is_ascii_alphanumeric) {
        return Verdict::Fails("characters that these keys do not have");
    }
    let Some(created) = created(text[58], text[59]) else {
        return Verdict::Fails("no such month");
    };
    let Some(bytes) = b64::standard(&text[..80]) else {
        return Verdict::Fails("not base64");
    };
    let stated = &text[80..];
    let sum = marvin32(&bytes, seed(b"Default0"));
    // An older form had the bytes of the sum in plain base64.
    let older = b64::encode_unpadded(&sum.to_le_bytes());
    if !checksum(sum).starts_with(stated) && !older.as_bytes().starts_with(stated) {
        return Verdict::Fails("checksum does not match");
    }
    let mut facts = Facts { created: Some(created), ..Facts::default() };
    let (code, provider) = (&text[72..76], &text[76..80]);
    note(&mut facts, "key-kind", kind);
    note(&mut facts, "provider", String::from_utf8_lossy(provider));
    note(&mut facts, "service", service(code, provider).unwrap_or_default());
    let managed = match provider {
        _ if provider.iter().all(u8::is_ascii_uppercase) => "customer",
        _ if provider.iter().all(u8::is_ascii_lowercase) => "Microsoft",
        _ => "",
    };
    note(&mut facts, "managed-by", managed);
    Verdict::Holds(facts)
}

/// The six characters that write `sum`: its bytes, least significant first, as one number in base 62, filled on the
/// *right*, taken through base64 once so that the last character has no stray bits.
fn checksum(sum: u32) -> Vec<u8> {
    let number = sum.swap_bytes();
    let zeros = number.leading_zeros() as usize / 8;
    let mut digits = vec![b'0'; zeros];
    if number != 0 {
        digits.extend(written(u64::from(number), BASE62, 0));
    }
    digits.resize(6, b'0');
    let bytes = b64::standard(&digits).unwrap_or_default();
    b64::encode_unpadded(&bytes).into_bytes()
}

/// The start of the month that two characters name: years since 2024 in the order of base64, months from `A`.
fn created(year: u8, month_of_year: u8) -> Option<i64> {
    let years = match year {
        b'A'..=b'Z' => year - b'A',
        b'a'..=b'z' => year - b'a' + 26,
        b'0'..=b'9' => year - b'0' + 52,
        _ => return None,
    };
    let number = matches!(month_of_year, b'A'..=b'L').then(|| month_of_year - b'A' + 1)?;
    month(2024 + i16::from(years), i8::try_from(number).ok()?)
}

/// The 84-character key of these first 80 characters.
pub(crate) fn sealed(first: &[u8]) -> Option<Vec<u8>> {
    let bytes = b64::standard(first).filter(|bytes| bytes.len() == 60)?;
    Some([first, &checksum(marvin32(&bytes, seed(b"Default0")))[..4]].concat())
}

/// The service that a provider's signature stands for, and with Cognitive Services its code.
fn service(code: &[u8], provider: &[u8]) -> Option<&'static str> {
    Some(match provider {
        b"AZDO" => "Azure DevOps",
        b"AZAC" => "Azure App Configuration",
        b"AZFR" => "Azure Fluid Relay",
        b"AZEG" => "Azure Event Grid",
        b"AZMR" => "Azure Mixed Reality",
        b"AZMP" => "Azure Maps",
        b"AZCS" => "Azure Communication Services",
        b"msql" => "Azure SQL",
        b"ACOG" => match code.strip_prefix(b"AAA").and_then(|last| last.first()) {
            Some(letter @ b'A'..=b'Z') => COGNITIVE_UPPER[usize::from(letter - b'A')],
            Some(letter @ b'a'..=b'e') => COGNITIVE_LOWER[usize::from(letter - b'a')],
            Some(b'f'..=b'o') => "Bing",
            _ => "Azure Cognitive Services",
        },
        _ => return None,
    })
}

/// Cognitive Services by the last letter of their code, from `A`.
const COGNITIVE_UPPER: [&str; 26] = [
    "Azure AI Services",
    "Azure OpenAI",
    "Azure Anomaly Detector EE",
    "Azure Anomaly Detector",
    "Azure Cognitive Services",
    "Azure Computer Vision",
    "Azure Content Moderator",
    "Azure Content Safety",
    "Azure Custom Vision Prediction",
    "Azure Custom Vision Training",
    "Azure Face",
    "Azure Form Recognizer",
    "Azure Health Decision Support",
    "Azure Health Insights",
    "Azure Immersive Reader",
    "Azure Internal All In One",
    "Azure Knowledge",
    "Azure LUIS Authoring",
    "Azure LUIS",
    "Azure Metrics Advisor",
    "Azure Personalizer",
    "Azure QnA Maker",
    "Azure QnA Maker v2",
    "Azure Speaker Recognition",
    "Azure Speech Services",
    "Azure Speech Translation",
];

/// Cognitive Services by the last letter of their code, from `a`.
const COGNITIVE_LOWER: [&str; 5] = [
    "Azure Text Analytics",
    "Azure Text Translation",
    "Azure Cognitive Services",
    "Azure Transcription Intelligence",
    "Azure Video Intelligence",
];

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    /// A key of `fill`, the annotation and the rest.
    fn key(fill: &str, annotation: &str, reserved: usize, rest: &str) -> String {
        format!("{}JQQJ{annotation}{}{rest}", fill.repeat(RANDOM), "A".repeat(reserved))
    }

    #[test]
    fn vectors() {
        let devops = key("a", "99AE", 16, "AZDO2TnI");
        for (text, created, provider, service) in [
            (devops.clone(), "2024-05-01", "AZDO", "Azure DevOps"),
            (key("b", "99BA", 16, "AZEGnDUBhw=="), "2025-01-01", "AZEG", "Azure Event Grid"),
            (key("c", "99CL", 16, "AZMP35II"), "2026-12-01", "AZMP", "Azure Maps"),
            (key("d", "99BF", 12, "AAABACOG3wfM"), "2025-06-01", "ACOG", "Azure OpenAI"),
        ] {
            let read = facts(on(&Cask, &text));
            assert_eq!(read.created, super::super::fact::iso_time(created));
            assert_eq!(read.named["provider"], provider);
            assert_eq!(read.named["service"], service);
            assert_eq!(read.named["managed-by"], "customer");
            assert_eq!(read.named["key-kind"], "key");
        }
        table(
            &Cask,
            &[
                ("whole", devops.clone(), Is::Held),
                ("random", String::from_utf8(expand("<<cask:AZFR>>", 1).expect("known")).expect("ASCII"), Is::Held),
                ("random part corrupted", format!("b{}", &devops[1..]), Is::Failed),
                ("checksum corrupted", devops.replace("2TnI", "2TnJ"), Is::Failed),
                ("month corrupted", devops.replace("99AE", "99AM"), Is::Failed),
                ("kind corrupted", devops.replace("99AE", "9XAE"), Is::Failed),
                ("marker corrupted", devops.replace("JQQJ", "JQQK"), Is::Failed),
                ("other characters", format!("+{}", &devops[1..]), Is::Failed),
                ("truncated", devops[..83].to_owned(), Is::Failed),
                ("too long", format!("{devops}A"), Is::Failed),
                ("88 without padding", format!("{devops}AAAA"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn checksums_with_leading_zero_bytes() {
        assert_eq!(checksum(0), b"00000w", "four zeros, filled to six, stray bits gone");
        assert_eq!(checksum(0x0100_0000).len(), 6);
    }
}
