//! Documents that say of themselves that something in them may be encoded: mails, Kubernetes manifests, markup. Told by how
//! they begin, so that other texts aren't searched for it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{HEAD, html};

/// A kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// A mail, some part of which is quoted-printable (RFC 2045 section 6.7).
    Mail,
    /// A manifest of Kubernetes that has a Secret, whose values are base64.
    Manifest,
    /// HTML or XML, which has references to characters.
    Markup,
}

impl Document {
    /// The kind that a text is, if something in it may be encoded.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        Self::kind(&text[..text.len().min(HEAD)]).filter(|kind| kind.is_told_by(text))
    }

    /// The kind that a text may be which begins with `head`.
    pub(super) fn kind(head: &[u8]) -> Option<Self> {
        static VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("apiVersion"));
        if is_mail(head) {
            return Some(Self::Mail);
        }
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        match head.first()? {
            b'<' => Some(Self::Markup),
            // A key, a comment, a line of dashes, JSON, a template.
            b'a' | b'd' | b'k' | b'm' | b's' | b't' | b'#' | b'-' | b'{' => VERSION.find(head).map(|_| Self::Manifest),
            _ => None,
        }
    }

    /// Whether `text` holds the word for what is encoded.
    pub(super) fn is_told_by(self, text: &[u8]) -> bool {
        static WORDS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["rintable", "Secret"].map(Finder::new));
        let [mail, manifest] = &*WORDS;
        let word = match self {
            // In any case: of the letters of `quoted-printable` these are mostly written alike.
            Self::Mail => mail,
            Self::Manifest => manifest,
            Self::Markup => return html::is_any(text),
        };
        word.find(text).is_some()
    }
}

/// Whether a text begins as mails and mailboxes do: with a header's name and a colon, or `From `.
fn is_mail(head: &[u8]) -> bool {
    let name = head.iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    head.starts_with(b"From ")
        || name > 1 && head[0].is_ascii_uppercase() && matches!(head.get(name..name + 2), Some(b": " | b":\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_by_their_start() {
        let cases: [(&str, Option<Document>); 12] = [
            ("\u{feff}\n<a b=&quot;c&quot;>", Some(Document::Markup)),
            ("<a b=\"c\">", None),
            ("text with b=&quot;c&quot;", None),
            ("# a comment\n---\napiVersion: v1\nkind: Secret\n", Some(Document::Manifest)),
            ("Return-Path: <a@b>\nContent-Transfer-Encoding: quoted-printable\n\nx", Some(Document::Mail)),
            ("From a@b Sat\nContent-Transfer-Encoding: Quoted-Printable\n", Some(Document::Mail)),
            ("Return-Path: <a@b>\n\nnothing", None),
            ("text about quoted-printable", None),
            ("apiVersion: v1\nkind: Secret\n", Some(Document::Manifest)),
            ("{\"apiVersion\": \"v1\", \"kind\": \"Secret\"}", Some(Document::Manifest)),
            ("apiVersion: v1\nkind: ConfigMap\n", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Document::of(text.as_bytes()), expected, "{text}");
        }
        let far = [&[b' '; HEAD][..], b"apiVersion: v1\nkind: Secret\n"].concat();
        assert_eq!(Document::of(&far), None);
    }
}
