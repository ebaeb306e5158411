//! Microsoft's "highly identifiable secrets", version 1: Azure keys with a fixed signature and a Marvin32 checksum.

use super::fact::note;
use super::marvin::{marvin32, seed};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `his`: the last four of the key's bytes are the Marvin32 of the others under a seed that tells the kind of key. Keys
/// without a known signature at its place are older or others' and carry no checksum.
///
/// Source: `IdentifiableSecrets.cs`, `IdentifiableMetadata.cs` and `PreciselyClassifiedSecurityKeys` in
/// <https://github.com/microsoft/security-utilities>; reproduced with public samples.
pub(super) struct His;

/// The characters that a type of key keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// RFC 4648 section 4.
    Standard,
    /// RFC 4648 section 5.
    Url,
    /// Letters and digits; its makers draw anew until no other character occurs.
    Alphanumeric,
}

impl Alphabet {
    /// Whether `text`, padding left out, keeps to it.
    pub(crate) fn holds(self, text: &[u8]) -> bool {
        text.iter().all(|byte| match byte {
            b'+' | b'/' => self == Self::Standard,
            b'-' | b'_' => self == Self::Url,
            _ => byte.is_ascii_alphanumeric(),
        })
    }
}

/// One type of key.
pub(crate) struct Type {
    /// The four characters that every key of it has ten characters before its end, padding not counted.
    pub(crate) signature: &'static [u8; 4],
    /// Length of the key, bytes.
    pub(crate) bytes: usize,
    /// How it is written.
    pub(crate) alphabet: Alphabet,
    /// Seeds of the checksum and what each stands for.
    pub(crate) seeds: &'static [(&'static [u8; 8], &'static str)],
}

/// Shorthand for one row of [`TYPES`].
const fn of(
    signature: &'static [u8; 4],
    bytes: usize,
    alphabet: Alphabet,
    seeds: &'static [(&'static [u8; 8], &'static str)],
) -> Type {
    Type { signature, bytes, alphabet, seeds }
}

/// Every type of key that is known in public, in the order of Microsoft's rule numbers within a length.
pub(crate) const TYPES: &[Type] = &[
    of(b"+ASt", 64, Alphabet::Standard, &[(b"Default0", "storage-account")]),
    of(
        b"ACDb",
        64,
        Alphabet::Standard,
        &[
            (b"MastRW00", "cosmos-db-read-write"),
            (b"MastRO00", "cosmos-db-read-only"),
            (b"SystRW00", "cosmos-db-system-read-write"),
            (b"SystRO00", "cosmos-db-system-read-only"),
            (b"SysAll00", "cosmos-db-system-all"),
            (b"Resour00", "cosmos-db-resource"),
            (b"Encryp00", "cosmos-db-encryption"),
        ],
    ),
    of(b"+ABa", 64, Alphabet::Standard, &[(b"AbAcct00", "batch-account")]),
    of(b"+AMC", 64, Alphabet::Standard, &[(b"Classic0", "ml-web-service-classic")]),
    of(
        b"APIM",
        64,
        Alphabet::Standard,
        &[
            (b"Tenant00", "api-management-direct"),
            // Microsoft's own slip: the seed of IoT Hub.
            (b"IoTHub00", "api-management-subscription"),
            (b"Gatewy00", "api-management-gateway"),
            (b"GitKey00", "api-management-repository"),
        ],
    ),
    of(b"AzCa", 32, Alphabet::Standard, &[(b"Access00", "redis-access")]),
    of(
        b"+ASb",
        32,
        Alphabet::Standard,
        &[(b"Send0000", "service-bus-send"), (b"Listen00", "service-bus-listen"), (b"Manage00", "service-bus-manage")],
    ),
    of(
        b"+AEh",
        32,
        Alphabet::Standard,
        &[(b"Send0000", "event-hubs-send"), (b"Listen00", "event-hubs-listen"), (b"Manage00", "event-hubs-manage")],
    ),
    of(
        b"+ARm",
        32,
        Alphabet::Standard,
        &[(b"Send0000", "relay-send"), (b"Listen00", "relay-listen"), (b"Manage00", "relay-manage")],
    ),
    of(
        b"AIoT",
        32,
        Alphabet::Standard,
        &[(b"IoTHub00", "iot-hub"), (b"DpsKey00", "iot-device-provisioning"), (b"Device00", "iot-device")],
    ),
    of(b"AZEG", 32, Alphabet::Standard, &[(b"SendRecv", "event-grid")]),
    of(b"AzSe", 39, Alphabet::Alphanumeric, &[(b"Query000", "search-query"), (b"PAdmin00", "search-admin")]),
    of(b"+ACR", 39, Alphabet::Standard, &[(b"ACRDflt0", "container-registry")]),
    of(
        b"AzFu",
        40,
        Alphabet::Url,
        &[(b"Functi00", "functions-function"), (b"Master00", "functions-master"), (b"System00", "functions-system")],
    ),
];

/// Characters between the start of the signature and the end of the key, padding not counted.
const FROM_SIGNATURE: usize = 10;

/// Base64 characters of a key of so many bytes, padding not counted.
const fn characters(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

impl StructureCheck for His {
    fn id(&self) -> &'static str {
        "his"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let end = token.secret.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
        let (text, padding) = token.secret.split_at(end);
        let signature = text.len().checked_sub(FROM_SIGNATURE).map(|at| &text[at..at + 4]);
        let Some(kind) = TYPES
            .iter()
            .find(|kind| signature == Some(kind.signature) && characters(kind.bytes) == text.len())
            .filter(|kind| padding.len() <= (3 - kind.bytes % 3) % 3)
        else {
            return Verdict::Unknown(Facts::default());
        };
        let Some(bytes) = b64::either(text).filter(|_| kind.alphabet.holds(text)) else {
            return Verdict::Fails("characters that this type of key does not have");
        };
        let Some((body, stated)) = bytes.split_last_chunk::<4>() else {
            return Verdict::Fails("too short for a checksum");
        };
        let stated = u32::from_le_bytes(*stated);
        match kind.seeds.iter().find(|(name, _)| marvin32(body, seed(name)) == stated) {
            Some((_, name)) => {
                let mut facts = Facts::default();
                note(&mut facts, "key-type", name);
                Verdict::Holds(facts)
            }
            None => Verdict::Fails("checksum does not match"),
        }
    }
}

/// The key of `bytes` bytes that starts with the characters `head`, carries `signature` and ends in its checksum under
/// the seed `name`; padded, in the standard or the URL alphabet. `None` where `head` isn't base64 of the right length.
pub(crate) fn sealed(head: &[u8], signature: &[u8; 4], name: &[u8; 8], bytes: usize, url: bool) -> Option<String> {
    let mut text = [head, signature].concat();
    if text.len() + FROM_SIGNATURE - 4 != characters(bytes) {
        return None;
    }
    text.resize(characters(bytes), b'A');
    let mut key = b64::either(&text).filter(|key| key.len() == bytes)?;
    let (body, checksum) = key.split_last_chunk_mut::<4>()?;
    *checksum = marvin32(body, seed(name)).to_le_bytes();
    let key = b64::encode(&key);
    Some(if url { key.replace('+', "-").replace('/', "_") } else { key })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    /// Characters before the signature, signature and tail of the key whose random part is all `a`, and its type.
    const VECTORS: &[(usize, &str, &str, &str)] = &[
        (76, "+ASt", "5mnCaw==", "storage-account"),
        (76, "ACDb", "t/cVzg==", "cosmos-db-read-write"),
        (76, "+ABa", "13FZVQ==", "batch-account"),
        (76, "+AMC", "FNqWyA==", "ml-web-service-classic"),
        (76, "APIM", "HbKhsQ==", "api-management-direct"),
        (76, "APIM", "GMZ9Ww==", "api-management-subscription"),
        (76, "APIM", "l1GhHg==", "api-management-gateway"),
        (76, "APIM", "HaSJCw==", "api-management-repository"),
        (33, "AzCa", "JM04l8=", "redis-access"),
        (33, "+ASb", "HpHeAI=", "service-bus-send"),
        (33, "+AEh", "G2s/8w=", "event-hubs-send"),
        (33, "+ARm", "D7h+qo=", "relay-send"),
        (33, "AIoT", "Oumzco=", "iot-hub"),
        (33, "AIoT", "DkYCI4=", "iot-device-provisioning"),
        (33, "AIoT", "JIavxQ=", "iot-device"),
        (33, "AZEG", "BCBVPw=", "event-grid"),
        (42, "AzSe", "CjhzCu", "search-query"),
        (42, "AzSe", "CJxZ3A", "search-admin"),
        (42, "+ACR", "C5W7f3", "container-registry"),
        (44, "AzFu", "Ht7CiQ==", "functions-function"),
    ];

    #[test]
    fn vectors_of_all_twenty_types() {
        assert_eq!(VECTORS.len(), 20);
        for (fill, signature, tail, expected) in VECTORS {
            let key = format!("{}{signature}{tail}", "a".repeat(*fill));
            let read = facts(on(&His, &key));
            assert_eq!(read.named.get("key-type").map(String::as_str), Some(*expected));
            table(
                &His,
                &[
                    ("whole", key.clone(), Is::Held),
                    ("without padding", key.trim_end_matches('=').to_owned(), Is::Held),
                    ("random part corrupted", format!("b{}", &key[1..]), Is::Failed),
                    ("truncated", key[1..].to_owned(), Is::Unknown),
                    ("too long", format!("a{key}"), Is::Unknown),
                    ("another signature", key.replacen(signature, "AzXy", 1), Is::Unknown),
                ],
            );
        }
    }

    #[test]
    fn every_seed_of_every_type_is_told_apart() {
        for kind in TYPES {
            for (name, expected) in kind.seeds {
                let [signature, name] = [kind.signature.as_slice(), *name].map(String::from_utf8_lossy);
                for seed in 0..3 {
                    let key = expand(&format!("<<his:{signature}:{name}:{}>>", kind.bytes), seed).expect("known");
                    assert_eq!(facts(on(&His, &key)).named["key-type"], *expected);
                }
            }
        }
    }

    #[test]
    fn odd_ones() {
        let key = format!("{}AzSeCjhzCu", "a".repeat(42));
        table(
            &His,
            &[
                ("empty", String::new(), Is::Unknown),
                ("padding only", "==".to_owned(), Is::Unknown),
                ("too much padding", format!("{key}="), Is::Unknown),
                ("not of its alphabet", format!("+{}", &key[1..]), Is::Failed),
                (
                    "an older storage key",
                    String::from_utf8(expand("<<bytes64:64>>", 1).expect("known")).expect("ASCII"),
                    Is::Unknown,
                ),
            ],
        );
    }
}
