//! OpenAI's keys: they carry "OpenAI" in base64.

use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `openai-marker`: the key holds `T3BlbkFJ`, which is "OpenAI" in base64. Keys of the first years don't.
///
/// Source: keys as <https://platform.openai.com/api-keys> has issued them since 2022.
pub(super) struct OpenaiMarker;

impl StructureCheck for OpenaiMarker {
    fn id(&self) -> &'static str {
        "openai-marker"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        match memchr::memmem::find(token.secret, b"T3BlbkFJ") {
            Some(_) => Verdict::Holds(Facts::default()),
            None => Verdict::Unknown(Facts::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn keys() {
        let key = String::from_utf8(expand("<<join:s|k->><<alnum:20>>T3BlbkFJ<<alnum:20>>", 1).expect("known"));
        let key = key.expect("ASCII");
        table(
            &OpenaiMarker,
            &[
                ("whole", key.clone(), Is::Held),
                ("marker corrupted", key.replace("T3Bl", "t3Bl"), Is::Unknown),
                ("truncated within the marker", key[..key.find("bkFJ").expect("the marker")].to_owned(), Is::Unknown),
                ("too long is fine: lengths vary", format!("{key}{key}"), Is::Held),
                ("empty", String::new(), Is::Unknown),
            ],
        );
    }
}
