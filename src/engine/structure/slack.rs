//! Slack's tokens and webhooks: whose they are.

use super::fact::note;
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `slack-ids`: the numbers of workspace and bot or user in tokens, the ids in app-level tokens and webhooks.
///
/// Source: <https://docs.slack.dev/authentication/tokens> for the kinds; which number is which is general knowledge of
/// the format.
pub(super) struct SlackIds;

impl StructureCheck for SlackIds {
    fn id(&self) -> &'static str {
        "slack-ids"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Ok(text) = std::str::from_utf8(token.secret) else {
            return Verdict::Fails("characters that these tokens do not have");
        };
        let mut facts = Facts::default();
        if let Some((workspace, rest)) = text.split_once('/') {
            return webhook(workspace, rest, facts);
        }
        let mut parts = text.split('-');
        let Some(kind) = parts.next().and_then(kind) else {
            return Verdict::Fails("no kind of token that Slack has");
        };
        note(&mut facts, "key-kind", kind);
        let parts: Vec<&str> = parts.collect();
        let Some((_, ids)) = parts.split_last().filter(|(last, _)| !last.is_empty()) else {
            return Verdict::Fails("nothing behind its kind");
        };
        // A number of one digit is the token's version; an app's id stands where others have the workspace's number.
        let ids: Vec<&str> = ids.iter().copied().filter(|id| id.len() > 1).collect();
        let names: &[&'static str] = match kind {
            "app-level token" => &["app"],
            "bot token" => &["workspace", "bot"],
            _ => &["workspace", "user", "app"],
        };
        names.iter().zip(ids).for_each(|(name, id)| note(&mut facts, name, id));
        Verdict::Holds(facts)
    }
}

/// What the letters say.
fn kind(prefix: &str) -> Option<&'static str> {
    Some(match prefix {
        "xoxb" => "bot token",
        "xoxp" => "user token",
        "xoxa" => "workspace token",
        "xoxr" | "xoxe" => "refresh token",
        "xoxs" | "xoxo" | "xoxc" => "client token",
        "xoxd" => "session cookie",
        "xoxe.xoxb" => "rotating bot token",
        "xoxe.xoxp" => "rotating user or configuration token",
        "xapp" => "app-level token",
        _ => return None,
    })
}

/// Reads `T…/B…/…`.
fn webhook(workspace: &str, rest: &str, mut facts: Facts) -> Verdict {
    let is_id = |id: &str, first: &[char]| {
        id.starts_with(first) && id.len() >= 8 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let Some((hook, secret)) = rest.split_once('/') else {
        return Verdict::Fails("not three parts with slashes between them");
    };
    if !is_id(workspace, &['T', 'E']) || secret.is_empty() {
        return Verdict::Fails("no id of a workspace");
    }
    note(&mut facts, "key-kind", if hook.starts_with('B') { "incoming webhook" } else { "workflow webhook" });
    note(&mut facts, "workspace", workspace);
    note(&mut facts, "webhook", hook);
    Verdict::Holds(facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, made, on, table};
    use super::*;

    #[test]
    fn tokens() {
        let bot = made("<<join:xo|xb>>-123456789012-1234567890123-<<alnum:24>>");
        table(
            &SlackIds,
            &[
                ("bot", bot.clone(), Is::Held),
                ("app level", made("<<join:xa|pp>>-1-A0123456789-1234567890123-<<hex:64>>"), Is::Held),
                ("webhook", made("T0123456789/B0123456789/<<alnum:24>>"), Is::Held),
                ("rotating", made("<<join:xoxe.xo|xp>>-1-<<alnum:163>>"), Is::Held),
                ("kind corrupted", bot.replacen("xox", "xoy", 1), Is::Failed),
                ("truncated", made("<<join:xo|xb>>-"), Is::Failed),
                ("a webhook cut", "T0123456789/B0123456789".to_owned(), Is::Failed),
                ("a webhook without workspace", made("X0123456789/B0123456789/<<alnum:24>>"), Is::Failed),
                ("too long is the pattern's business", format!("{bot}{bot}"), Is::Held),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn ids_are_told() {
        for (template, expected) in [
            (
                "<<join:xo|xb>>-123456789012-1234567890123-<<alnum:24>>",
                "bot=1234567890123 key-kind=bot token workspace=123456789012",
            ),
            (
                "<<join:xo|xp>>-123456789012-1234567890123-9876543210987-<<hex:32>>",
                "app=9876543210987 key-kind=user token user=1234567890123 workspace=123456789012",
            ),
            ("<<join:xa|pp>>-1-A0123456789-1234567890123-<<hex:64>>", "app=A0123456789 key-kind=app-level token"),
            (
                "T0123456789/B0123456789/<<alnum:24>>",
                "key-kind=incoming webhook webhook=B0123456789 workspace=T0123456789",
            ),
        ] {
            let read = facts(on(&SlackIds, made(template)));
            let told: Vec<_> = read.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(told.join(" "), expected);
        }
    }
}
