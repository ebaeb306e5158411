//! Values that say nothing by themselves, such as 32 hex digits: secrets by the service's word in the name they are
//! assigned to. In: a `[[contextual]]` table, which says only the words and the value. Out: the pattern, examples and
//! counterexamples of a rule, the same shape for every service.

use std::fmt::Write as _;

/// What a name says of a secret, unless the table says otherwise; compared without case.
const NAMES: [&str; 12] =
    ["token", "key", "secret", "pass", "pwd", "pat", "auth", "cred", "login", "api", "access", "client"];

/// The words and the value of a contextual rule.
#[derive(Clone, Debug)]
pub(super) struct Contextual<'a> {
    /// Words for the service, lower case: `newrelic`, `new_relic`.
    pub(super) words: &'a [String],
    /// Words of which one stands in the name, instead of [`NAMES`].
    pub(super) names: &'a [String],
    /// Whether the service's word alone makes a name: `cloudflare: …`.
    pub(super) alone: bool,
    /// Pattern of the value.
    pub(super) value: &'a str,
    /// Template of a value.
    pub(super) specimen: &'a str,
}

impl Contextual<'_> {
    /// What is wrong with the words, if anything.
    pub(super) fn mistake(&self) -> Option<String> {
        let plain = |word: &&String| {
            word.is_empty()
                || !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
        };
        if self.words.is_empty() {
            return Some("a contextual rule needs words".into());
        }
        let odd = self.words.iter().chain(self.names).find(plain)?;
        Some(format!("word `{odd}` must be of a-z, 0-9, `_` and `-`"))
    }

    /// The pattern: name, assignment, value, in the syntaxes of programs, shells, configuration files, XML and
    /// command lines.
    pub(super) fn pattern(&self) -> String {
        let words = self.words.join("|");
        let names = if self.names.is_empty() { NAMES.join("|") } else { self.names.join("|") };
        let name = format!("(?i:{names})[0-9A-Za-z_.-]{{0,20}}");
        let name = if self.alone { format!("(?:{name})?") } else { name };
        let mut pattern = format!("(?i:{words})[0-9A-Za-z_.-]{{0,30}}?{name}");
        // A quoted name or index ends, or its value stands in an attribute; then comes a type, then the sign.
        pattern.push_str(r#"[\\"'`\])]{0,4}(?:[ \t]{0,4}:?[ \t]{0,4}(?:string|String|str|&str))?"#);
        pattern.push_str(r"(?:[ \t]{0,8}(?:[:?.+]{0,3}=>?|[:,]|->)[ \t]{0,8}|>\s{0,48}|[ \t]{1,4}value=");
        pattern.push_str(r#")[\\"'`(]{0,4}"#);
        write!(pattern, r"(?P<secret>{})(?:[^0-9A-Za-z_+/=-]|\z)", self.value).expect("a String takes every write");
        pattern
    }

    /// Templates the rule must match, one a syntax.
    pub(super) fn examples(&self) -> Vec<String> {
        let Self { specimen, .. } = self;
        let word = self.words.first().map_or("", String::as_str);
        let name = self.names.first().map_or("token", String::as_str);
        let [word_loud, name_loud] = [word, name].map(str::to_ascii_uppercase);
        let mut examples = vec![
            format!("{word_loud}_{name_loud}={specimen}\n"),
            format!("export {word_loud}_PROD_{name_loud}='{specimen}'\n"),
            format!("{word_loud}_{name_loud} ?= {specimen}\n"),
            format!("{{\"{word}_{name}\": \"{specimen}\"}}"),
            format!("{{\"text\": \"{{\\\"{word}.{name}\\\": \\\"{specimen}\\\"}}\"}}"),
            format!("  {word}-{name}: {specimen}  # comment\n"),
            format!("\"{word}{name}\" => \"{specimen}\","),
            format!("var {word}{name} string = \"{specimen}\"\n"),
            format!("System.setProperty(\"{word_loud}_{name_loud}\", \"{specimen}\");"),
            format!("<{word}{name}>\n    {specimen}\n</{word}{name}>\n"),
            format!("<add key=\"{word}.{name}\" value=\"{specimen}\" />"),
            format!("run --{word}-{name}={specimen} now\n"),
        ];
        examples.extend(self.alone.then(|| format!("{word}: {specimen}\n")));
        examples
    }

    /// Templates it must not match.
    pub(super) fn counterexamples(&self) -> Vec<String> {
        let Self { specimen, .. } = self;
        let [word, name] = [self.words, self.names].map(|words| words.first().map(|word| word.to_ascii_uppercase()));
        let (word, name) = (word.unwrap_or_default(), name.unwrap_or_else(|| "TOKEN".into()));
        let mut counterexamples = vec![
            format!("checksum: {specimen}\n"),
            format!("{word}_{name}=${{{word}_{name}}}\n"),
            format!("{word}_{name}=<<alnum:3>>\n"),
            format!("{word}_{name}=\"\"\nchecksum = \"{specimen}\"\n"),
        ];
        counterexamples.extend((!self.alone).then(|| format!("{word}_ZONE={specimen}\n")));
        counterexamples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contextual<'a>(words: &'a [String], alone: bool) -> Contextual<'a> {
        Contextual { words, names: &[], alone, value: "[0-9a-f]{8}", specimen: "<<hex:8>>" }
    }

    #[test]
    fn names_and_signs_of_many_syntaxes_lead_to_the_value() {
        let words = ["acme".to_owned()];
        let matches = |alone: bool, text: &str| {
            let pattern = contextual(&words, alone).pattern();
            let text = text.replace("VALUE", "0a1b2c3d");
            regex_automata::meta::Regex::new(&pattern).expect("it parses").is_match(text.as_bytes())
        };
        for text in [
            "ACME_TOKEN=VALUE",
            "acme.api.key: 'VALUE'",
            "acmeToken: string = \"VALUE\"",
            "acme_TOKEN :::= VALUE",
            "$acmeKey .= \"VALUE\"",
            "<acmeKey>\n  VALUE\n</acmeKey>",
            r#"{\"acmeKey\":\"VALUE\"}"#,
        ] {
            assert!(matches(false, text), "{text}");
        }
        for text in ["ACME_ZONE=VALUE", "acme key VALUE", "acme_key=VALUE4", "acmeKey == VALUE"] {
            assert!(!matches(false, text), "{text}");
        }
        assert!(matches(true, "acme: VALUE") && !matches(false, "acme: VALUE"));
    }

    #[test]
    fn words_are_plain() {
        for word in ["", "Acme", "acme.io", "a|b"] {
            assert!(contextual(&[word.to_owned()], false).mistake().is_some(), "{word}");
        }
        assert!(contextual(&[], false).mistake().is_some());
        assert_eq!(contextual(&["new_relic".to_owned()], false).mistake(), None);
    }
}
