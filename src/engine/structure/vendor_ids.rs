//! Keys that name a part of themselves: Mailchimp's data centre, Tailscale's key id.

use super::fact::note;
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// Reads what a key of one vendor says.
type Read = fn(&str) -> Option<Facts>;

/// A check that reads a key's own ids.
pub(super) struct VendorIds {
    id: &'static str,
    read: Read,
    fault: &'static str,
}

/// `mailchimp-ids`: the data centre behind the dash, which is the host of its interface.
///
/// Source: <https://mailchimp.com/developer/marketing/docs/fundamentals/#the-api-structure> (link).
pub(super) static MAILCHIMP: VendorIds =
    VendorIds { id: "mailchimp-ids", read: mailchimp, fault: "no data centre behind 32 hex digits" };

/// `tailscale-ids`: the kind and the id of a key, which its console lists.
///
/// Source: <https://tailscale.com/kb/1085/auth-keys> (link); the parts are general knowledge of the format.
pub(super) static TAILSCALE: VendorIds =
    VendorIds { id: "tailscale-ids", read: tailscale, fault: "not kind, id and secret with dashes between them" };

impl StructureCheck for VendorIds {
    fn id(&self) -> &'static str {
        self.id
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        match std::str::from_utf8(token.secret).ok().and_then(self.read) {
            Some(facts) => Verdict::Holds(facts),
            None => Verdict::Fails(self.fault),
        }
    }
}

/// Reads `<32 hex>-us14`.
fn mailchimp(text: &str) -> Option<Facts> {
    let (key, centre) = text.split_once('-')?;
    let number = centre.strip_prefix("us")?;
    let fits = key.len() == 32
        && key.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    let mut facts = Facts::default();
    note(&mut facts, "resource", format!("{centre}.api.mailchimp.com"));
    fits.then_some(facts)
}

/// Reads `tskey-auth-<id>-<secret>`.
fn tailscale(text: &str) -> Option<Facts> {
    let mut parts = text.strip_prefix("tskey-")?.split('-');
    let (kind, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = parts.next().is_none() && !kind.is_empty() && (8..=24).contains(&id.len()) && secret.len() >= 20;
    let mut facts = Facts::default();
    note(&mut facts, "key-kind", kind);
    note(&mut facts, "key-id", id);
    fits.then_some(facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, made, on, table};
    use super::*;

    #[test]
    fn mailchimp_keys() {
        let key = made("<<hex:32>>-us14");
        table(
            &MAILCHIMP,
            &[
                ("whole", key.clone(), Is::Held),
                ("corrupted", format!("x{}", &key[1..]), Is::Failed),
                ("truncated", key[1..].to_owned(), Is::Failed),
                ("too long", format!("{key}4"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        assert_eq!(facts(on(&MAILCHIMP, &key)).named["resource"], "us14.api.mailchimp.com");
    }

    #[test]
    fn tailscale_keys() {
        let key = made("<<join:tsk|ey>>-auth-k123456CNTRL-<<alnum:32>>");
        table(
            &TAILSCALE,
            &[
                ("whole", key.clone(), Is::Held),
                ("corrupted", key.replacen("tskey", "tskez", 1), Is::Failed),
                ("truncated", key[..key.len() - 20].to_owned(), Is::Failed),
                ("too long", format!("{key}-x"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        let read = facts(on(&TAILSCALE, &key));
        assert_eq!((read.named["key-kind"].as_str(), read.named["key-id"].as_str()), ("auth", "k123456CNTRL"));
    }
}
