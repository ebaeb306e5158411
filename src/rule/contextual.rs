//! Values that say nothing by themselves, such as 32 hex digits: secrets by the service's word in the name they are
//! assigned to. In: a `[[contextual]]` table, which says only the words and the value. Out: the pattern, examples and
//! counterexamples of a rule, the same shape for every service.

/// What a name says of a secret, unless the table says otherwise; compared without case.
const NAMES: [&str; 14] = [
    "token", "key", "secret", "pass", "pwd", "pat", "auth", "cred", "login", "api", "access", "client", "bearer",
    "private",
];

/// The end of a quoted name, of an index or of a call's argument.
const CLOSED: &str = r#"[\\"'`\])]{0,4}"#;

/// What leads from a name to its value.
const SIGNS: [&str; 9] = [
    // `name string = `, `name: &'static str = `, `name?: Option<String> = `, `name ||= `, `name := `, `name =>`.
    r"(?:[ \t]{1,4}[Ss]tr(?:ing)?\??|[ \t]{0,4}\??:[ \t]{0,4}[&'0-9A-Za-z_<>\[\]?.]{1,24}(?:[ \t][0-9A-Za-z_<>\[\]?]{1,16})?)?[ \t]{0,8}[:?.+|]{0,3}=>?[ \t]{0,8}",
    // `name: `, `name, `, `name || `, `name ?? `, `${name:-`, `name->`, `name <- `, `| name | `.
    r"[ \t]{0,8}(?:[:,]|\|{1,2}|\?\?|:-|->|<-)[ \t]{0,8}",
    r"[ \t]{1,4}or[ \t]{1,4}",
    // The value on the next line: in quotes, or as a block of YAML.
    r#"[ \t]{0,8}[:=][ \t]{0,4}(?:\\?\r?\n[ \t]{0,40}["']|[|>][+-]?\s{1,48})"#,
    // `<name>`, `<string name="name">`, `<key>name</key> <string>`, `<name>name</name> <value>`.
    r"(?:</[A-Za-z]{1,12}>\s{0,48}<[A-Za-z]{1,12})?>\s{0,48}(?:<!\[CDATA\[)?",
    r"[ \t]{1,4}value=",
    // `- name: name`, `value: `; `{"name": "name", "value": `.
    r#",?\s{1,48}["']?[Vv]alue["']?[ \t]{0,4}[:=][ \t]{0,4}"#,
    // `variable "name" { default = `.
    r"[ \t]{0,3}\{[^{}]{0,100}?default[ \t]{0,8}=[ \t]{0,4}",
    // `Authorization: name VALUE` and the like say more than a blank: a scheme.
    r#"(?i:[ \t]{0,8}[:=][ \t]{0,4}["']?(?:bearer|token|apikey|key)[ \t=:]{1,3})"#,
];

/// `ENV name VALUE`, `--name VALUE`, `set name VALUE`.
const BLANK: &str = r"[ \t]{1,4}";

/// What a value begins with: quotes, the prefix of a string, a call.
const OPENED: &str =
    r#"(?:(?:new[ \t])?[A-Za-z_&\[][0-9A-Za-z_.:!\]]{0,30}[(\[]{1,2}|[@$A-Za-z]{1,2}["'])?[\\"'`(\[]{0,4}"#;

/// What stands for [`joint`] in a rule's pattern.
pub(super) const JOINT: &str = "(?&is)";

/// What joins a name to its value in the syntaxes we know, as a pattern.
pub(super) fn joint() -> String {
    format!("{CLOSED}(?:{}){OPENED}", SIGNS.join("|"))
}

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

    /// The pattern: name, sign, value, in the syntaxes of programs, shells, configuration files, XML and command lines.
    pub(super) fn pattern(&self) -> String {
        let words = self.words.join("|");
        let names = if self.names.is_empty() { NAMES.join("|") } else { self.names.join("|") };
        let name = format!("(?i:{names})[0-9A-Za-z_.-]{{0,20}}");
        let signs = SIGNS.join("|");
        // A name may be words (`Acme API key: …`), and a blank alone may be the sign (`--acme-key …`); both is prose.
        let ways = [
            format!("[0-9A-Za-z_. -]{{0,30}}?{name}{CLOSED}(?:{signs})"),
            format!("[0-9A-Za-z_.-]{{0,30}}?{name}{CLOSED}{BLANK}"),
        ];
        let alone = self.alone.then(|| format!("[0-9A-Za-z_.-]{{0,30}}?{CLOSED}(?:{signs})"));
        let ways = ways.into_iter().chain(alone).collect::<Vec<_>>().join("|");
        let value = self.value;
        // The name goes on into the sign; the matcher cuts it.
        format!(r"(?P<name>(?i:{words})(?:{ways})){OPENED}(?P<secret>{value})(?:[^0-9A-Za-z_+/=-]|\z)")
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
            "const ACME_KEY: &'static str = \"VALUE\";",
            "let acmeKey: Option<String> = \"VALUE\"",
            "acmeKey?: string = 'VALUE'",
            "NSString *const kAcmeKey = @\"VALUE\";",
            "acme_key = b'VALUE'",
            "acme_key = SecretStr(\"VALUE\")",
            "acmeKey := []byte(\"VALUE\")",
            "ACME_KEY ||= 'VALUE'",
            "process.env.ACME_KEY || 'VALUE'",
            "process.env['ACME_KEY'] ?? \"VALUE\"",
            "os.environ.get('ACME_KEY') or 'VALUE'",
            "acme_key <- \"VALUE\"",
            "${ACME_KEY:-VALUE}",
            "| ACME_KEY | VALUE |",
            "acme_key:\n  'VALUE'",
            "acme_key: >-\n  VALUE\n",
            "- name: ACME_KEY\n  value: VALUE\n",
            "{\"name\": \"ACME_KEY\",\n \"value\": \"VALUE\"}",
            "<key>AcmeKey</key>\n<string>VALUE</string>",
            "<name>acme.key</name><value>VALUE</value>",
            "<acmeKey><![CDATA[VALUE]]></acmeKey>",
            "variable \"acme_key\" {\n  type = string\n  default = \"VALUE\"\n}",
            "X-Acme-Auth: Bearer VALUE",
            "acme --acme-key VALUE run",
            "ENV ACME_KEY VALUE\n",
            "Acme API key: VALUE",
        ] {
            assert!(matches(false, text), "{text}");
        }
        for text in ["ACME_ZONE=VALUE", "acme key VALUE", "acme_key=VALUE4", "acmeKey == VALUE"] {
            assert!(!matches(false, text), "{text}");
        }
        assert!(matches(true, "acme: VALUE") && !matches(false, "acme: VALUE"));
        assert!(matches(true, "acme_key VALUE") && !matches(true, "acme VALUE"), "a blank is no sign of a word alone");
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
