//! A private key and its certificate: whose it is, and until when.

use crate::engine::Match;
use crate::engine::structure::x509;
use crate::finding::Facts;
use crate::rule::Rule;

/// How far around a key its certificate is looked for, in bytes: chains are three or four of some 2,000 each.
const REACH: usize = 16 << 10;

/// What the certificate of a key says, if it stands near: of the certificates there the one that holds its public half.
pub(super) fn certificate(text: &[u8], found: &Match, rule: &Rule) -> Option<Facts> {
    if found.dropped || rule.structure != "pem" {
        return None;
    }
    let fingerprint = found.facts.named.get("public-key-fingerprint")?;
    let whole = found.raw.whole;
    let near = &text[whole.start.saturating_sub(REACH)..text.len().min(whole.end + REACH)];
    x509::certificate_of(near, fingerprint)
}
