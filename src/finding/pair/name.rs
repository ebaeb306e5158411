//! Names of settings, taken apart: what the setting is (`host`, `user`, …) and what stands before that, which tells
//! `PROD_DB_HOST` from `STAGING_DB_HOST`.

/// Longest name that is looked at, in bytes.
const LONGEST: usize = 80;

/// Words at the end of a secret's name that say that it is one, or which.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "secret",
    "key",
    "token",
    "access",
    "client",
    "app",
    "application",
    "account",
    "api",
    "auth",
    "value",
    "credential",
    "credentials",
    "primary",
    "secondary",
    "master",
    "shared",
    "consumer",
    "session",
    "id",
];

/// The words of a name in lower case with `_` between them: `dbUserName`, `db.user-name` and `DB_USER_NAME` are
/// `db_user_name`. Digits at the end go: `KEY1`. An option of one letter, `-u`, is `flag_u`.
pub(super) fn words(name: &[u8]) -> String {
    if let [b'-', flag] = name {
        return format!("flag_{}", char::from(flag.to_ascii_lowercase()));
    }
    let name = &name[name.len().saturating_sub(LONGEST)..];
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = b'_';
    for (at, &byte) in name.iter().enumerate() {
        let humps = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_uppercase() && name.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if humps && !out.ends_with('_') {
            out.push('_');
        }
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte.to_ascii_lowercase()));
        } else if !out.ends_with('_') {
            out.push('_');
        }
        before = byte;
    }
    out.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit()).trim_start_matches('_').to_owned()
}

/// What stands before `role` in the words of a name; `None` when the name doesn't end with it. Roles of four letters
/// and more may be run together with what is before them: `dbhost`.
pub(super) fn before_role<'n>(name: &'n str, role: &str) -> Option<&'n str> {
    let before = name.strip_suffix(role)?;
    match before.strip_suffix('_') {
        Some(before) => Some(before),
        None if before.is_empty() => Some(before),
        None => (role.len() >= 4 && !role.contains('_')).then_some(before),
    }
}

/// What stands before the words that say "secret" in the name of one.
pub(super) fn before_secret(name: &str) -> &str {
    let mut rest = name;
    loop {
        let (before, last) = rest.rsplit_once('_').unwrap_or(("", rest));
        if SECRET_WORDS.contains(&last) {
            rest = before;
            continue;
        }
        // Run together: `dbpassword`.
        let joined = SECRET_WORDS[..9].iter().filter(|word| word.len() >= 4).find_map(|word| last.strip_suffix(word));
        return match joined {
            Some(own) => &rest[..rest.len() - last.len() + own.len()],
            None => rest,
        };
    }
}

/// How well two prefixes go together: 0 the same, 1 one says less than the other, `None` they speak of different things.
pub(super) fn kinship(one: &str, other: &str) -> Option<u8> {
    if one == other {
        return Some(0);
    }
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let part_of = short.is_empty()
        || long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'))
        || long.strip_suffix(short).is_some_and(|rest| rest.ends_with('_'));
    part_of.then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, expected) in [
            ("DB_USER_NAME", "db_user_name"),
            ("dbUserName", "db_user_name"),
            ("spring.datasource.user-name", "spring_datasource_user_name"),
            ("AzureADClientID", "azure_ad_client_id"),
            ("KEY1", "key"),
            ("--host", "host"),
            ("-U", "flag_u"),
            ("PGHOST", "pghost"),
            ("", ""),
            ("_", ""),
        ] {
            assert_eq!(words(name.as_bytes()), expected);
        }
        assert_eq!(words(&[0xff; 200]), "");
    }

    #[test]
    fn what_stands_before_the_role() {
        for (name, role, expected) in [
            ("prod_db_host", "host", Some("prod_db")),
            ("host", "host", Some("")),
            ("pghost", "host", Some("pg")),
            ("ghost_town", "host", None),
            ("grid", "id", None),
            ("storage_account_name", "account_name", Some("storage")),
            ("my_subaccount_name", "account_name", None),
        ] {
            assert_eq!(before_role(name, role), expected, "{name}");
        }
        for (name, expected) in [
            ("prod_db_password", "prod_db"),
            ("dbpassword", "db"),
            ("pgpassword", "pg"),
            ("password", ""),
            ("aws_secret_access_key", "aws"),
            ("azure_client_secret", "azure"),
            ("azure_storage_account_key", "azure_storage"),
            ("monkey", "monkey"),
        ] {
            assert_eq!(before_secret(name), expected, "{name}");
        }
    }

    #[test]
    fn kin_and_strangers() {
        for (one, other, expected) in [
            ("db", "db", Some(0)),
            ("", "", Some(0)),
            ("db", "", Some(1)),
            ("db", "db_admin", Some(1)),
            ("prod_db", "db", Some(1)),
            ("prod_db", "staging_db", None),
            ("db", "redis", None),
            ("db", "mydb", None),
        ] {
            assert_eq!(kinship(one, other), expected, "{one} {other}");
            assert_eq!(kinship(other, one), expected, "{other} {one}");
        }
    }
}
