//! User and password beside each other: which ones are placeholders, and which user names may be told.

/// Words that stand for "put a password here", lower case. A real account may well have such a password, so they only
/// count beside a user name that is a stand-in as well.
const PASSWORD_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pass",
    "passw",
    "pwd",
    "pw",
    "p",
    "secret",
    "token",
    "key",
    "apikey",
    "api_key",
    "bar",
    "changeme",
    "yourpassword",
    "your_password",
    "your-password",
    "mypassword",
    "my_password",
    "my-password",
    "somepassword",
    "x",
    "xx",
    "xxx",
    "b",
];

/// Words that stand for "put a user here", lower case.
const USER_WORDS: &[&str] = &[
    "user",
    "username",
    "usr",
    "uname",
    "login",
    "name",
    "foo",
    "u",
    "me",
    "someuser",
    "some_user",
    "myuser",
    "my_user",
    "myusername",
    "my-username",
    "youruser",
    "your_user",
    "yourusername",
    "your_username",
    "your-username",
    "account",
    "client",
    "client_id",
    "id",
    "key",
    "x",
    "xx",
    "xxx",
    "a",
];

/// User names that services give to whoever logs in with a token, and "passwords" beside tokens that stand as users.
const TOKEN_COMPANIONS: &[&str] =
    &["", "x-oauth-basic", "x-oauth-token", "x", "api_token", "apitoken", "unused", "none"];

/// Whether this pair is a placeholder of an example rather than somebody's account.
pub(crate) fn is_placeholder(user: &str, password: &str) -> bool {
    let word = |words: &[&str], text: &str| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    is_template(user)
        || is_template(password)
        || word(USER_WORDS, user) && word(PASSWORD_WORDS, password)
        || word(&["yourpassword", "your_password", "your-password"], password)
}

/// Whether `text` is a slot that something fills in (`<user>`, `${USER}`, `{{ user }}`, `%s`, `$PASS`, `***`).
pub(crate) fn is_template(text: &str) -> bool {
    let text = text.trim();
    let inside =
        |start: &str, end: &str| text.len() > start.len() + end.len() && text.starts_with(start) && text.ends_with(end);
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    inside("<", ">")
        || inside("{", "}")
        || inside("[", "]")
        || inside("${", "}")
        || inside("#{", "}")
        || inside("$(", ")")
        || inside("%(", ")s")
        || inside("%", "%")
        || inside("__", "__")
        || matches!(text, "%s" | "%v" | "%d" | "{}" | "{0}" | "{1}" | "..." | "…")
        || text.strip_prefix('$').is_some_and(name)
        || text.len() >= 3
            && (text.bytes().all(|byte| byte == b'*') || text.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x')))
        || text.chars().count() >= 3 && text.chars().all(|c| c == '•')
}

/// The user name if it may stand in a report: not empty, and not itself the credential, as with services that take a
/// token as user (`https://TOKEN:x-oauth-basic@host`, `Basic TOKEN:`).
pub(crate) fn public_user<'a>(user: &'a str, password: &str) -> Option<&'a str> {
    let user = user.trim();
    let token_as_user = TOKEN_COMPANIONS.iter().any(|word| word.eq_ignore_ascii_case(password)) || looks_random(user);
    let repeats = user == password || password.len() >= 4 && user.contains(password);
    (!user.is_empty() && !token_as_user && !repeats).then_some(user)
}

/// Whether `text` looks like a key rather than a name: 20 characters and more in one piece, letters and digits mixed.
/// UUIDs (client ids) and mail addresses are cut by `-`, `.`, `@`, and `DOMAIN\user` by `\`.
fn looks_random(text: &str) -> bool {
    text.split(['.', '@', '-', '\\', '/']).any(|piece| {
        piece.len() >= 20
            && piece.bytes().any(|byte| byte.is_ascii_digit())
            && piece.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_accounts() {
        for (user, password, expected) in [
            ("user", "password", true),
            ("username", "PASSWORD", true),
            ("foo", "bar", true),
            ("<user>", "k3yboard-Cat", true),
            ("admin", "${DB_PASSWORD}", true),
            ("admin", "$DB_PASSWORD", true),
            ("admin", "{{ db_password }}", true),
            ("admin", "%s", true),
            ("admin", "*****", true),
            ("admin", "xxxxxxxx", true),
            ("postgres", "password", false),
            ("user", "k3yboard-Cat", false),
            ("admin", "pa$$W0RD", false),
            ("", "", false),
        ] {
            assert_eq!(is_placeholder(user, password), expected, "{user}:{password}");
        }
    }

    #[test]
    fn users_that_are_the_secret_are_not_told() {
        let token = concat!("q7Wk2pLx9R", "t4Vb8Nc3Mz");
        for (user, password, expected) in [
            ("admin", "k3yboard-Cat", true),
            ("5f0c64e1-9f3e-4b0a-8d3b-3f6f2f1d9c11", "k3yboard-Cat", true),
            ("someone.with.a.long.name1@corp.example", "k3yboard-Cat", true),
            (token, "x-oauth-basic", false),
            (token, "", false),
            (token, "k3yboard-Cat", false),
            ("short", "", false),
            ("sa", "sa", false),
            ("admin-hunter2", "hunter2", false),
            ("", "k3yboard-Cat", false),
        ] {
            assert_eq!(public_user(user, password).is_some(), expected, "{user}:{password}");
        }
    }
}
