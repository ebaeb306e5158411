//! Secrets in encodings: found, placed in the file as it is, and shown neither in clear nor encoded. The harness searches
//! everything that is printed for every form of every secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::harness::{Token, Workspace, keytrail, scan, text_position};

/// Lines of so many characters.
fn wrapped(text: &str, width: usize, between: &str) -> String {
    let lines: Vec<&str> = (0..text.len()).step_by(width).map(|at| &text[at..text.len().min(at + width)]).collect();
    lines.join(between)
}

/// Each byte written by `write`.
fn each(text: &str, write: fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

/// A file with a secret in an encoding.
struct Case {
    path: &'static str,
    view: &'static str,
    token: Token,
    text: String,
    /// What of the text the secret is.
    encoded: String,
}

/// Makes a case: `make` gives the text and how the secret begins in it.
fn case(path: &'static str, view: &'static str, make: impl Fn(&str) -> (String, String)) -> Case {
    let token = Token::new(&format!("views, {path}"));
    let (text, encoded) = make(token.text());
    Case { path, view, token, text, encoded }
}

/// Base64 of the secret after twelve bytes, so that its own begins with a quad.
fn base64(secret: &str) -> (String, String) {
    let encoded = STANDARD.encode(format!("the token:  {secret}, and some more of this text to make it long"));
    (encoded, STANDARD.encode(&secret[..30]))
}

fn cases() -> Vec<Case> {
    vec![
        case("values.yaml", "base64", |secret| {
            let (all, own) = base64(secret);
            (format!("first: line\nbundle: {all}\nlast: line\n"), own)
        }),
        case("block.txt", "base64", |secret| {
            let (all, _) = base64(secret);
            let marks = ["-----BEGIN", "-----END"].map(|mark| format!("{mark} DATA-----"));
            let lines = wrapped(&all, 64, "\n");
            let own = lines.lines().next().expect("it has lines")[16..].to_owned();
            (format!("{}\n{lines}\n{}\n", marks[0], marks[1]), own)
        }),
        case("twice.env", "base64 in base64", |secret| {
            let (all, _) = base64(secret);
            let twice = STANDARD.encode(&all);
            // The inner quad with the secret begins at character 16 of 3-byte quads.
            (format!("BUNDLE={twice}\n"), twice[20..60].to_owned())
        }),
        case("dump.sql", "hex", |secret| {
            let hex = |text: &str| each(text, |byte| format!("{byte:02x}"));
            (format!("insert into t values (x'{}');\n", hex(&format!("token: {secret}"))), hex(secret))
        }),
        case("access.log", "percent", |secret| {
            (format!("GET /login?next=%2Fa%3Ft%3D{secret}%26x HTTP/1.1\n"), secret.to_owned())
        }),
        case("notebook.ipynb", "escapes", |secret| {
            (format!("{{\"source\": [\"# the token\\n{secret}\\n\"]}}\n"), secret.to_owned())
        }),
        case("data.json", "escapes", |secret| {
            let escaped = each(secret, |byte| format!("\\u{byte:04x}"));
            (format!("{{\"note\": \"{escaped}\"}}\n"), escaped)
        }),
        case("page.html", "html", |secret| {
            let escaped = each(secret, |byte| format!("&#{byte};"));
            (format!("<p>{escaped}</p>\n"), escaped)
        }),
        case("mail.eml", "quoted-printable", |secret| {
            let (start, end) = secret.split_at(23);
            let text =
                format!("From: a\nContent-Transfer-Encoding: quoted-printable\n\nHi, t=3D{start}=\n{end} =\nis it\n");
            (text, start.to_owned())
        }),
        case("command.ps1", "utf-16le in base64", |secret| {
            let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            // Six bytes, two quads, are three characters.
            let all = STANDARD.encode(wide(&format!("$t = '{secret}'")));
            (format!("powershell -enc {all}\n"), all[16..40].to_owned())
        }),
    ]
}

#[test]
fn secrets_in_encodings_are_found_where_they_stand() {
    let workspace = Workspace::new();
    let cases = cases();
    for case in &cases {
        workspace.write(&format!("tree/{}", case.path), &case.text);
    }
    let run = keytrail(["files", "."]).within(workspace.path("tree"));
    let results = scan(&run);
    results.holds_exactly(&cases.iter().map(|case| &case.token).collect::<Vec<_>>());
    for case in &cases {
        let place = results.of(&case.token).place();
        assert_eq!((place.path.as_str(), place.record["view"].as_str()), (case.path, Some(case.view)));
        let expected = text_position(case.text.as_bytes(), case.encoded.as_bytes());
        assert_eq!((place.line, place.column), expected, "{}", case.path);
    }
    run.clone().go().exits(1).says(&["base64 in base64", "quoted-printable"]);
    run.args(["--format", "sarif"]).go().exits(1);
}

#[test]
fn a_line_shows_no_part_of_what_is_encoded_on_it() {
    let workspace = Workspace::new();
    let [plain, hidden] = ["beside", "encoded"].map(|what| Token::new(&format!("views, {what}")));
    let (all, _) = base64(hidden.text());
    let other = Token::other("views, all of it", &all);
    workspace.write("tree/a.txt", format!("{} {} {0}\n", plain.text(), other.text()));
    for format in ["text", "jsonl", "sarif"] {
        keytrail(["files", ".", "--format", format]).within(workspace.path("tree")).go().exits(1);
    }
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    results.holds_exactly(&[&plain, &hidden]);
}

#[test]
fn values_of_a_kubernetes_secret_are_the_decoded_ones() {
    let workspace = Workspace::new();
    let [word, key] = ["kX9!mmq2", "Zt5!vvw8pp2"].map(|value| Token::other(&format!("views, {}", value.len()), value));
    let name = ["pass", "word"].concat();
    let encode = |text: &str| STANDARD.encode(text);
    let manifest = format!(
        "apiVersion: v1\ndata:\n  {name}: {}\n  other: {}\n  user: {}\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\n",
        encode(word.text()),
        encode(key.text()),
        encode("alice"),
    );
    workspace.write("tree/secret.yaml", &manifest);
    workspace.write("tree/plain.env", format!("DB_{}='{}'\n", name.to_uppercase(), word.text()));
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    results.holds_exactly(&[&word, &key]);
    let finding = results.of(&word);
    assert_eq!(finding.paths(), ["plain.env", "secret.yaml"], "one finding, in clear and encoded");
    let place = &finding.places[1];
    assert_eq!((place.line, place.column), text_position(manifest.as_bytes(), encode(word.text()).as_bytes()));
}

#[test]
fn a_value_is_found_again_where_nothing_names_it() {
    let workspace = Workspace::new();
    let value = Token::other("views, again", "kX9mmq2zzLq7Rt5vB2nM8");
    let name = ["pass", "word"].concat();
    workspace.write("tree/run.log", format!("{name}='{0}'\nconnected with {0}\nx{0}x\n{0}", value.text()));
    let run = keytrail(["files", "."]).within(workspace.path("tree"));
    let results = scan(&run);
    let place = results.holds_exactly(&[&value]).of(&value).place();
    assert_eq!((place.line, &place.record["occurrences"]), (1, &3.into()));
    let lines: Vec<_> =
        place.record["more"].as_array().expect("a list").iter().map(|more| more["line"].clone()).collect();
    assert_eq!(lines, [2, 4], "each line that holds it is told");
    run.go().exits(1).says(&["3 times", "also line 2, 4"]);

    // What is accepted at its own line stays accepted: the bare value alone would be nothing.
    workspace.write("tree/run.log", format!("{name}='{0}' # keytrail:allow a sample\n# {0}\n", value.text()));
    keytrail(["files", "."]).within(workspace.path("tree")).go().exits(0);
}

#[test]
fn versions_with_encodings_are_the_same_in_full() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("versions") else { return };
    let cases = cases();
    let mut lines: Vec<String> =
        (0..300).map(|n| format!("line {n}: nothing, {} words of it", n * 7919 % 1009)).collect();
    for version in 0..40 {
        let case = &cases[version / 4 % cases.len()];
        let at = version * 37 % lines.len();
        match version % 4 {
            0 => lines[at] = case.text.clone(),
            1 => lines[at].insert(version % 9, 'x'),
            2 => drop(lines.remove((at + 300 - 74) % lines.len())),
            _ => lines.insert(at, case.text[case.text.len() / 2..].to_owned()),
        }
        repo.write("notes.txt", lines.join("\n"));
        repo.commit("Change the notes");
    }
    repo.git(["repack", "-adfq", "--depth=50", "--window=100"]);
    let report =
        |flags: &[&str]| keytrail(["history", repo.spelled(), "--format", "jsonl"]).args(flags).go().exits(1).stdout;
    let changed = report(&[]);
    assert!(changed == report(&["--full-scan"]), "they differ");
    assert!(String::from_utf8_lossy(&changed).matches("\"view\":").count() >= 6);
}

#[test]
fn what_is_encoded_over_and_over_is_unread() {
    let workspace = Workspace::new();
    let text = "<a>".to_owned() + &"%3D%253D%25253D&amp;amp;amp;#61;\\u003d%3D%253D&amp;amp;amp;#61;".repeat(40_000);
    workspace.write("tree/a.txt", text);
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    assert_eq!((results.code, results.unread_kinds()), (3, vec!["limit".to_owned()]));
}
