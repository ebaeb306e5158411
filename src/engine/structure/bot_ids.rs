//! Tokens of bots and webhooks that name their bot: Discord, Telegram.

use super::fact::note;
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `discord-ids`: the first part of a bot's token is the bot's id in base64; a webhook begins with its own.
///
/// Source: general knowledge of the format; ids are snowflakes of 17 to 20 digits
/// (<https://docs.discord.com/developers/reference#snowflakes>).
pub(super) struct DiscordIds;

impl StructureCheck for DiscordIds {
    fn id(&self) -> &'static str {
        "discord-ids"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let mut facts = Facts::default();
        if let Some(at) = token.secret.iter().position(|byte| *byte == b'/') {
            let Some(id) = snowflake(&token.secret[..at]) else {
                return Verdict::Fails("no id of a webhook");
            };
            note(&mut facts, "webhook", id);
            return Verdict::Holds(facts);
        }
        let parts: Vec<&[u8]> = token.secret.split(|byte| *byte == b'.').collect();
        let &[first, time, signature] = parts.as_slice() else {
            return Verdict::Fails("not three parts with dots between them");
        };
        if time.len() < 6 || signature.len() < 27 {
            return Verdict::Fails("a part is too short");
        }
        match b64::url_safe(first).as_deref().and_then(snowflake) {
            Some(id) => {
                note(&mut facts, "bot", id);
                Verdict::Holds(facts)
            }
            None => Verdict::Fails("first part is no id in base64"),
        }
    }
}

/// The id that `text` writes in decimal digits.
fn snowflake(text: &[u8]) -> Option<&str> {
    let fits = (17..=20).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| fits)
}

/// `telegram-bot`: the digits before the colon are the bot's id.
///
/// Source: <https://core.telegram.org/bots/api#authorizing-your-bot>.
pub(super) struct TelegramBot;

impl StructureCheck for TelegramBot {
    fn id(&self) -> &'static str {
        "telegram-bot"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let text = String::from_utf8_lossy(token.secret);
        let Some((id, rest)) = text.split_once(':') else {
            return Verdict::Fails("no colon behind the bot's id");
        };
        if !(6..=12).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Verdict::Fails("no id of a bot");
        }
        if rest.len() != 35 {
            return Verdict::Fails("not 35 characters behind the colon");
        }
        let mut facts = Facts::default();
        note(&mut facts, "bot", id);
        Verdict::Holds(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, made, on, table};
    use super::*;

    #[test]
    fn discord() {
        let id = b64::encode_unpadded(b"123456789012345678");
        let token = format!("{id}.{}", made("<<alnum:6>>.<<alnum:38>>"));
        table(
            &DiscordIds,
            &[
                ("whole", token.clone(), Is::Held),
                ("a webhook", made("123456789012345678/<<base64url:68>>"), Is::Held),
                ("id corrupted", format!("x{}", &token[1..]), Is::Failed),
                ("id of letters", made("M<<alnum:25>>.<<alnum:6>>.<<alnum:38>>"), Is::Failed),
                ("a webhook's id corrupted", made("12345678901234567x/<<base64url:68>>"), Is::Failed),
                ("truncated", token[..token.len() - 20].to_owned(), Is::Failed),
                ("too long: a part more", format!("{token}.x"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        assert_eq!(facts(on(&DiscordIds, &token)).named["bot"], "123456789012345678");
        let hook = made("123456789012345678/<<base64url:68>>");
        assert_eq!(facts(on(&DiscordIds, hook)).named["webhook"], "123456789012345678");
    }

    #[test]
    fn telegram() {
        let token = made("123456789:AA<<alnum:33>>");
        table(
            &TelegramBot,
            &[
                ("whole", token.clone(), Is::Held),
                ("id corrupted", token.replacen('5', "x", 1), Is::Failed),
                ("truncated", token[..token.len() - 1].to_owned(), Is::Failed),
                ("too long", format!("{token}a"), Is::Failed),
                ("no colon", token.replace(':', ""), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        assert_eq!(facts(on(&TelegramBot, &token)).named["bot"], "123456789");
    }
}
