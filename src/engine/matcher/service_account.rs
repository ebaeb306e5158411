//! Google service account keys: a JSON object with `"type": "service_account"`, a mail address and a private key.
//! Source: Google Cloud documentation, "Create and delete service account keys", read 2026-11.

use crate::location::Span;

use super::block::PEM;
use super::{CodeMatcher, RawMatch};

/// How far the object may reach from its `type` member, in bytes; real ones have some 2,400.
const CAP: usize = 8 * 1024;

/// The matcher.
pub(super) struct ServiceAccount;

impl CodeMatcher for ServiceAccount {
    fn name(&self) -> &'static str {
        "gcp-service-account"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let back = keyword.start.saturating_sub(CAP).max(floor);
        let start = back + memchr::memrchr(b'{', &text[back..keyword.start])?;
        let limit = text.len().min(keyword.end.saturating_add(CAP));
        let end = start + memchr::memchr(b'}', &text[start..limit])? + 1;
        let object = &text[start..end];
        let mail = member(object, b"client_email")?;
        let key = memchr::memmem::find(object, b"PRIVATE KEY")?;
        let label = Span::new(start + key, start + key + b"PRIVATE KEY".len());
        let block = PEM.find(&text[..end], label, start)?;
        let found = RawMatch {
            whole: Span::new(start, end),
            secret: block.secret,
            decoded: block.decoded,
            companions: vec![("user", mail.shifted(start))],
            bare: false,
        };
        found.whole.contains(keyword).then_some(found)
    }

    fn reach(&self) -> usize {
        CAP
    }
}

/// The string value of `"name": "value"` (or its escaped form) in a JSON text.
fn member(object: &[u8], name: &[u8]) -> Option<Span> {
    let at = memchr::memmem::find(object, name)? + name.len();
    let separators = object[at..].iter().take_while(|byte| b"\\\": \t".contains(byte)).count();
    let start = at + separators;
    let len = object[start..].iter().take_while(|byte| !b"\\\"\r\n,}".contains(byte)).count();
    (separators > 0 && len > 0).then(|| Span::new(start, start + len))
}
