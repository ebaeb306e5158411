//! Values that name where the secret is instead of being it: variables, vault references, calls, paths.

use super::{Candidate, Filter, Opinion};
use crate::location::Span;

/// The filter.
pub(super) struct Reference;

/// Starts of references in templates, shells, clouds and programming languages.
const STARTS: [&[u8]; 24] = [
    b"${",
    b"$(",
    b"#{",
    b"{{",
    b"%{",
    b"<%",
    b"@{",
    b"$env:",
    b"env:",
    b"env.",
    b"process.env",
    b"os.environ",
    b"os.getenv",
    b"getenv",
    b"System.getenv",
    b"ENV[",
    b"vault:",
    b"secret:",
    b"arn:aws:",
    b"@Microsoft.KeyVault",
    b"ssm:",
    b"var.",
    b"data.",
    b"!vault",
];

/// Pieces that only calls and references hold.
const INSIDE: [&[u8]; 7] = [b"secretsmanager", b":secret:", b"keyvault", b"getSecret", b"get_secret", b"${", b"{{"];

impl Filter for Reference {
    fn id(&self) -> &'static str {
        "reference"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let secret = candidate.secret;
        let starts = |start: &&[u8]| secret.len() >= start.len() && secret[..start.len()].eq_ignore_ascii_case(start);
        if STARTS.iter().any(starts) || is_variable(secret) {
            return Opinion::Drop("it names where the secret is");
        }
        if INSIDE.iter().any(|piece| memchr::memmem::find(secret, piece).is_some()) {
            return Opinion::Drop("it holds a reference");
        }
        if is_call_or_member(secret) {
            return Opinion::Drop("it is a piece of code");
        }
        if is_path_or_url(secret) {
            return Opinion::Drop("it is a path or an address");
        }
        if candidate.bare && is_type(secret) {
            return Opinion::Drop("it is a type or a piece of code");
        }
        if candidate.bare && candidate.place.is_some_and(|(text, raw)| is_prose(text, raw.secret, candidate.name)) {
            return Opinion::Lower("it is a word of a sentence");
        }
        if candidate.bare
            && is_named_thing(secret)
            && candidate.place.is_some_and(|(text, raw)| goes_on(text, raw.secret.end))
        {
            return Opinion::Lower("it stands without quotes where code has a name");
        }
        Opinion::Keep
    }
}

/// `$NAME`, `'$NAME'`, `$BASE_URL/reset`, `%NAME%`, `&name`, and `$self-`, which is what a value that ends before `>`
/// leaves of `$self->name`.
fn is_variable(secret: &[u8]) -> bool {
    let word = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    match secret {
        [b'\'', b'$', rest @ .., b'\''] => word(rest),
        [b'$', rest @ ..] if rest.contains(&b'/') => word(rest.split(|byte| *byte == b'/').next().unwrap_or_default()),
        [b'$' | b'&', rest @ ..] => word(rest.strip_suffix(b"-").unwrap_or(rest)),
        [b'%', rest @ .., b'%'] => word(rest),
        _ => false,
    }
}

/// `config.get(…)`, `self.password`, `user->pass`, `args[0]`: words joined by dots, arrows, calls and indices.
fn is_call_or_member(secret: &[u8]) -> bool {
    let Some(&first) = secret.first() else { return false };
    if !(first.is_ascii_alphabetic() || first == b'_') {
        return false;
    }
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let head = secret.iter().take_while(|byte| word(byte)).count();
    let rest = &secret[head..];
    let digits = secret[..head].iter().filter(|byte| byte.is_ascii_digit()).count();
    match rest {
        [b'(', ..] => rest.contains(&b')') || rest.len() < 3 || digits == 0,
        [b'[', .., b']'] => true,
        [b'-', b'>', ..] | [b':', b':', ..] => true,
        [b'.', tail @ ..] => {
            digits == 0
                && tail.iter().all(|byte| word(byte) || b".()[]'\"".contains(byte))
                && !tail.iter().any(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Types of values that may be texts, lower case.
const TYPES: [&[u8]; 18] = [
    b"string",
    b"str",
    b"bytes",
    b"byte",
    b"char",
    b"text",
    b"varchar",
    b"int",
    b"integer",
    b"bool",
    b"boolean",
    b"option",
    b"optional",
    b"property",
    b"securestring",
    b"secretstr",
    b"any",
    b"object",
];

/// `String!`, `&[u8]`, `Option<String>`, `str|None`, `varchar(255)`: a type's name with what languages put behind it.
fn is_type(secret: &[u8]) -> bool {
    // `&[u8]`, `*const`, `(JIRA_USER`, `{.type`, but not what base64 may end like.
    if secret.first().is_some_and(|byte| b"[({&*".contains(byte)) && !secret.ends_with(b"=") {
        return true;
    }
    let word = secret.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let rest = &secret[word..];
    TYPES.iter().any(|name| secret[..word].eq_ignore_ascii_case(name))
        && rest.first().is_none_or(|byte| b"!?<[(|*&".contains(byte))
}

/// Whether what stands behind `word: ` or `name=` goes on as a sentence: `Second pass: resolve all of them`, `a.badPassword=Falsches
/// Passwort`. Behind a name in capitals a command may follow: `PASSWORD=… run`.
fn is_prose(text: &[u8], secret: Span, name: &[u8]) -> bool {
    let letters = text[secret.start..secret.end].iter().all(u8::is_ascii_alphabetic);
    let before = &text[..secret.start];
    let said = before.ends_with(b": ") || name.iter().any(u8::is_ascii_lowercase) && before.ends_with(b"=");
    let goes_on = match text.get(secret.end..secret.end + 2) {
        Some([b' ', next]) => next.is_ascii_lowercase(),
        Some([b'\\', b'u']) => true,
        _ => false,
    };
    letters && said && goes_on
}

/// What may be the name of a variable or a type, with at most one number in it.
fn is_named_thing(secret: &[u8]) -> bool {
    let changes = secret.windows(2).filter(|pair| !pair[0].is_ascii_digit() && pair[1].is_ascii_digit()).count();
    secret.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && !secret[0].is_ascii_digit()
        && changes <= 1
}

/// Whether code goes on at `at` as it does behind a name: `= other;`, `kind, next)`, `upass = ubucket = None`.
fn goes_on(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b';' | b')' | b',' | b'[' | b'.' | b'|') => true,
        Some(b' ') => matches!(text.get(at + 1..at + 3), Some([b'=' | b'|' | b'?', b' ' | b'|'])),
        _ => false,
    }
}

/// Absolute and relative paths with several components, and addresses without credentials.
fn is_path_or_url(secret: &[u8]) -> bool {
    if memchr::memmem::find(secret, b"://").is_some() {
        return !secret.contains(&b'@');
    }
    let rooted = secret.starts_with(b"/")
        || secret.starts_with(b"./")
        || secret.starts_with(b"../")
        || secret.starts_with(b"~/");
    let drive = secret.len() > 2 && secret[0].is_ascii_alphabetic() && &secret[1..3] == b":\\";
    let separators = secret.iter().filter(|byte| **byte == b'/').count();
    let plain = secret.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._-~ @".contains(byte));
    // `cms/sites/passwords#edit`: the action of a web framework's controller.
    let action = separators >= 1
        && secret.iter().filter(|byte| **byte == b'#').count() == 1
        && secret.iter().all(|byte| byte.is_ascii_lowercase() || b"/_#".contains(byte));
    // `/forgot`, `./next-step`: one component of lower-case words.
    let page = rooted && secret.iter().all(|byte| byte.is_ascii_lowercase() || b"/._-~".contains(byte));
    drive || action || page || (rooted && separators >= 2 && plain && !secret.contains(&b'+'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{opinion, opinion_of};
    use super::*;

    #[test]
    fn bare_types_are_no_values() {
        for secret in ["String!", "&[u8])", "Option<String>", "str|None", "(JIRA_USERNAME"] {
            assert!(matches!(opinion_of("reference", "", secret, 0.0, true), Opinion::Drop(_)), "{secret}");
        }
        for value in ["string9x", "&x/Kd81q=="] {
            assert_eq!(opinion_of("reference", "", value, 0.0, true), Opinion::Keep, "{value}");
        }
    }

    #[test]
    fn names_and_sentences_are_told_by_what_follows() {
        let after = |text: &str, value: &str| {
            let start = text.find(value).expect("a case holds it");
            (text.as_bytes().to_vec(), Span::new(start, start + value.len()))
        };
        for (text, value, name, expected) in [
            ("// Second pass: resolve all of them", "resolve", "pass", true),
            ("a.badPassword=Falsches neues", "Falsches", "a.badPassword", true),
            ("a.badPassword=Contrase\\u00f1a", "Contrase", "a.badPassword", true),
            ("PASSWORD=Falsches run", "Falsches", "PASSWORD", false),
            ("password: Falsches", "Falsches", "password", false),
            ("pw: Falsches8 neues", "Falsches8", "pw", false),
        ] {
            let (text, span) = after(text, value);
            assert_eq!(is_prose(&text, span, name.as_bytes()), expected, "{value}");
        }
        for (text, value, expected) in [
            ("u->pw = other;", "other", true),
            ("upass = ubucket = None", "ubucket", true),
            ("f(pw: Kind, x)", "Kind", true),
            ("pw: word # note", "word", false),
            ("PW=word\n", "word", false),
        ] {
            let (text, span) = after(text, value);
            assert_eq!(goes_on(&text, span.end), expected, "{value}");
        }
        assert!(is_named_thing(b"maxKey2") && !is_named_thing(b"9kX") && !is_named_thing(b"k9X9m9"));
    }

    #[test]
    fn references_go_and_values_stay() {
        let references = [
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "$tokenizer-",
            "%DB_PASSWORD%",
            "process.env.TOKEN",
            "config.get(\"password\")",
            "self.password",
            "user->password",
            "args[0]",
            "getPassword()",
            "/run/secrets/db_password",
            "https://example.org/reset",
            "vault:secret/data/db#password",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
            "eu-west-1:1:secret:x",
            "{{ .Values.password }}",
            "prefix-${TOKEN}",
            "'$DB_PASSWORD'",
            "$BASE_URL/#/forgot_password",
            "/en/server@3.0/auth",
            "admin/passwords#edit",
            "/forgot",
        ];
        for secret in references {
            assert!(matches!(opinion("reference", "", secret, 0.0), Opinion::Drop(_)), "{secret}");
        }
        for secret in
            ["kX9!mmq2zz", "p4ss.w0rd77", "$ecretP4ss!", "Ab/9+kd82==", "9f86.d081", "a1b2(c3", "$9x/Kd81", "Ab/c#d81"]
        {
            assert_eq!(opinion("reference", "", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}
