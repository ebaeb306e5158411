//! Each encoding decodes what it should and maps it back; what is no encoded text costs no view; hostile input ends.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::specimen::random::Random;

/// The names and texts of all views of a text.
fn views(text: &[u8]) -> Vec<(String, String)> {
    let mut views = Vec::new();
    assert!(each(text, |view| {
        views.push((view.name.to_string(), String::from_utf8_lossy(&view.text).into_owned()));
    }));
    assert!(views.is_empty() || may_have_views(text), "what has views is seen to have some");
    views
}

/// The bytes of `text` that the one view with this name and text in it says they came from.
fn origin<'t>(text: &'t [u8], name: &str, part: &str) -> &'t [u8] {
    let mut found = None;
    each(text, |view| {
        if view.name == name
            && let Some(at) = memchr::memmem::find(&view.text, part.as_bytes())
        {
            found = Some(view.in_blob(Span::new(at, at + part.len())));
        }
    });
    let span = found.unwrap_or_else(|| panic!("no {name} with {part:?}: {:?}", views(text)));
    &text[span.start..span.end]
}

/// Lines of so many characters.
fn wrapped(text: &str, width: usize, between: &str) -> String {
    let lines: Vec<&str> = (0..text.len()).step_by(width).map(|at| &text[at..text.len().min(at + width)]).collect();
    lines.join(between)
}

const PLAIN: &str = "user = alice\nvalue = some words that are long enough";

#[test]
fn base64_is_decoded_wherever_it_stands() {
    let (encoded, url) = (STANDARD.encode(PLAIN), URL_SAFE_NO_PAD.encode(PLAIN));
    let cases = [
        encoded.clone(),
        url.clone(),
        format!("data: {encoded}\n"),
        format!("{{\"text\":\"{encoded}\"}}"),
        format!("x=\"{url}\";"),
        format!("a/path/to/{url}"),
        format!("prefix-{encoded}"),
        format!("{{\"text\": \"line\\n{encoded}\\n\"}}"),
        format!("\u{fc}{encoded}\u{fc}"),
        format!("{}{encoded}", "a few words ".repeat(40)),
    ];
    for text in &cases {
        let found = views(text.as_bytes());
        assert_eq!(found[0], ("base64".to_owned(), format!("{PLAIN}\n")), "{text}");
        assert!(found.iter().all(|(_, text)| text.contains(PLAIN) || text.contains(&encoded)), "{text}: {found:?}");
        // From quad to quad.
        assert_eq!(origin(text.as_bytes(), "base64", "alice"), &encoded.as_bytes()[8..16], "{text}");
    }
    for pad in 0..70 {
        let text = [&b" ".repeat(pad)[..], encoded.as_bytes(), &b" ".repeat(70 - pad)].concat();
        assert_eq!(views(&text).len(), 1, "at any offset: {pad}");
        assert_eq!(views(&text[pad..pad + encoded.len()]).len(), 1);
    }
}

#[test]
fn base64_goes_on_over_lines() {
    let long = PLAIN.repeat(6);
    let encoded = STANDARD.encode(&long);
    let betweens = ["\n", "\r\n", "\\n", "\\r\\n", "\n    ", "\n# ", "\" +\n    \"", "\\n\",\n  \"", "\n> "];
    for width in [60, 64, 76, 75] {
        for between in betweens {
            let text = format!("{{\n  \"{}\"\n}}\n", wrapped(&encoded, width, between));
            assert_eq!(views(text.as_bytes())[0].1, format!("{long}\n"), "{width} {between:?}");
            let whole = origin(text.as_bytes(), "base64", &long);
            assert_eq!(whole, &text.as_bytes()[5..text.len() - 4], "{width} {between:?}");
        }
    }
    let list = [PLAIN, "another = value\nof the list of such values"].map(|one| STANDARD.encode(one)).join("\n");
    assert_eq!(views(list.as_bytes())[0].1.lines().count(), 4, "values of a list are apart: {list}");
}

#[test]
fn what_is_hidden_is_all_that_was_decoded_in_one_go() {
    let text = format!("key: {} # comment", STANDARD.encode(PLAIN));
    each(text.as_bytes(), |view| {
        assert_eq!(view.covered(Span::new(3, 5)), Span::new(5, text.len() - " # comment".len()));
        assert!(view.inside_blob(Span::new(3, 9)).len() == 8 && view.inside_blob(Span::new(1, 2)).is_empty());
    });
    let text = "a%3Db%3Dc";
    each(text.as_bytes(), |view| assert_eq!(view.covered(Span::new(1, 2)), Span::new(1, 4)));
}

#[test]
fn what_is_no_text_has_no_view() {
    let mut random = Random::new(3);
    let bytes: Vec<u8> = (0..900).map(|_| random.below(256) as u8).collect();
    let hash: String = bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
    let cases = [
        STANDARD.encode([b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &bytes].concat()),
        STANDARD.encode([b"\x30\x82\x05\x0d\x30\x82".as_slice(), &bytes].concat()),
        format!("sha512-{}", STANDARD.encode(&bytes[..64])),
        hash,
        "a_long_name_of_a_function_that_does_something_or_other".to_owned(),
        "src/source/git/pack/tests/hostile/and/many/more/folders".to_owned(),
        "WKWebViewConfigurationURLSchemeHandlerRegistration".to_owned(),
        "0123456789abcdef0123456789abcdef0123456789".to_owned(),
        "printf(\"%2d %5d %-20s\\n\"); a && b & c; x %= 3; \"\\n  text\\t\\\"quoted\\\"\"".to_owned(),
        "<https://host.example/a%20b?c=d&amp;e=f AT &amp; T &lt;T&gt; &quot;quoted&quot; /^\\/\\*$/".to_owned(),
        "\"\\u00e4\\u00f6\\u00fc \\u4e2d\\u6587\"".to_owned(),
    ];
    for text in &cases {
        assert_eq!(views(text.as_bytes()), [], "{text}");
        assert!(!may_have_views(text.as_bytes()), "{text}");
    }
}

#[test]
fn tokens_that_are_made_of_base64_are_left_alone() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let token = format!(
        "{}.{}.{}",
        part("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
        part("{\"sub\":\"1234567890\",\"name\":\"somebody\"}"),
        part("not a signature, but as long as one is")
    );
    assert!(views(token.as_bytes()).iter().all(|(_, text)| !text.contains("sub")), "{:?}", views(token.as_bytes()));
    assert_eq!(
        views(STANDARD.encode("{\"auths\": {\"host\": {\"auth\": 1}}}").as_bytes()).len(),
        1,
        "JSON alone is not"
    );
}

#[test]
fn payloads_that_nothing_calls_secret_are_told() {
    let json = STANDARD.encode("{\"cursor\": \"some words of it\", \"token\": 1234}");
    let cases = [
        (format!("next={json}"), Trust::Payload),
        (format!("url(data:image/svg+xml;base64,{json})"), Trust::Payload),
        (format!("url(data:text/plain;base64,{})", STANDARD.encode(PLAIN)), Trust::Payload),
        (format!("DOCKER_AUTH_CONFIG={json}"), Trust::Text),
        (format!("x={}", STANDARD.encode(PLAIN)), Trust::Text),
        (STANDARD.encode(format!("next={json}")), Trust::Payload),
        (format!("next={}", STANDARD.encode(format!("{{\"inner\": \"{}\"}}", STANDARD.encode(PLAIN)))), Trust::Payload),
    ];
    for (text, expected) in cases {
        let mut last = None;
        each(text.as_bytes(), |view| last = Some(view.trust(Span::new(2, 3))));
        assert_eq!(last, Some(expected), "{text}");
    }
}

#[test]
fn hex_is_decoded_if_it_is_text() {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for text in [
        hex(PLAIN),
        format!("x'{}'", hex(PLAIN)),
        format!("0x{}", hex(PLAIN).to_uppercase().replace("0X", "")),
        format!("a {}1", hex(PLAIN)),
    ] {
        assert_eq!(views(text.as_bytes()), [("hex".to_owned(), format!("{PLAIN}\n"))], "{text}");
        assert!(origin(text.as_bytes(), "hex", "alice").eq_ignore_ascii_case(hex("alice").as_bytes()));
    }
    assert_eq!(views(hex("too short").as_bytes()), []);
}

#[test]
fn escapes_that_break_tokens_are_decoded() {
    let cases: [(&str, &str, &str, &str); 14] = [
        ("see a=b%3Dc%20d&e now", "percent", "a=b=c d&e\n", "="),
        ("\"postgres%3A%2F%2Fann%40host\"", "percent", "postgres://ann@host\n", "://"),
        ("x%253D%zz%3", "percent", "x%3D%zz%3\n", "x"),
        (r#"k = "AccountKey\u003dabc\n" // c"#, "escapes", "k = \"AccountKey=abc\n\" // c\n", "Key=abc"),
        (r#""u": "https:\/\/ann@host\/path""#, "escapes", "\"u\": \"https://ann@host/path\"\n", "https://ann"),
        (r#""a\\u003d\\\"b\\\"""#, "escapes", "\"a=\"b\"\"\n", "="),
        (r#""x\x3dy \xzz""#, "escapes", "\"x=y \\xzz\"\n", "="),
        (r#""\ud83d\ude00\u0041\ud83d""#, "escapes", "\"\u{1f600}A\\ud83d\"\n", "A"),
        (r#"["a\n0123456789abcdefXYZ\n"]"#, "escapes", "[\"a\n0123456789abcdefXYZ\n\"]\n", "0123"),
        ("<a v=&quot;x&amp;y&quot;/>", "html", "<a v=\"x&y\"/>\n", "x&y"),
        ("<p>p&#61;q&#x3A;r&nope;", "html", "<p>p=q:r&nope;\n", "p=q:r"),
        ("<a>&lt;p&gt;value&lt;/p&gt;", "html", "<a><p>value</p>\n", "value"),
        ("<a>Pass=ab&amp;cd;", "html", "<a>Pass=ab&cd;\n", "ab&cd"),
        ("first\nx\\u003dy\nlast", "escapes", "x=y\n", "x=y"),
    ];
    for (text, name, expected, part) in cases {
        let found = views(text.as_bytes());
        assert_eq!(found.first(), Some(&(name.to_owned(), expected.to_owned())), "{text}: {found:?}");
        let from = String::from_utf8_lossy(origin(text.as_bytes(), name, part));
        assert!(text.contains(&*from) && from.len() >= part.len(), "{text}: {from}");
    }
    assert_eq!(origin(b"a%3Db%40c", "percent", "=b@"), b"%3Db%40");
}

#[test]
fn only_the_surroundings_of_an_escape_are_decoded() {
    let text = format!("{0}\\u003d{0}\n{0}\n", "words and more words ".repeat(200));
    let (_, decoded) = &views(text.as_bytes())[0];
    assert!(decoded.len() < 1000 && decoded.contains('='), "{} bytes", decoded.len());
    let text = format!("{0}%3D{0} {0}", "x".repeat(9000));
    assert!(views(text.as_bytes())[0].1.len() < 4200);
}

#[test]
fn mails_are_decoded_where_they_say_so() {
    let text = "Subject: x\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\nContent-Transfer-Encoding: quoted-printable\n\n\
                the key=3D=\nvalue =C3=BC=\r\n end\n-- \nAnn\n--b1\nno=3Dmore\n";
    let found = views(text.as_bytes());
    assert_eq!(found[0], ("quoted-printable".to_owned(), "\n\nthe key=value ü end\n-- \nAnn\n".to_owned()));
    assert_eq!(origin(text.as_bytes(), "quoted-printable", "key=value"), b"key=3D=\nvalue");
    assert_eq!(views(text.replace("Subject: x", "some text").as_bytes()), []);
}

#[test]
fn secrets_of_kubernetes_are_written_with_their_keys() {
    let [user, word, lines] = ["alice", "kX9!mmq2zz", "first\nsecond"].map(|text| STANDARD.encode(text));
    let lead = "secret.";
    let expected = format!("{lead}user: \"alice\"\n{lead}word: \"kX9!mmq2zz\"\n{lead}a.txt:\nfirst\nsecond\n");
    let yaml = format!(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  user: {user}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: x\n\
         data:\n  # a comment\n  user: {user}\n\n  word: \"{word}\"\n  bad: no!\n  a.txt: |\n    {}\n    {}\nstringData:\n  plain: text\n",
        &lines[..8],
        &lines[8..]
    );
    let json = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {{\"user\": \"{user}\", \"word\":\"{word}\",\n \"a.txt\": \"{lines}\"}}}}"
    );
    for text in [&yaml, &yaml.replace('\n', "\r\n"), &json] {
        let found = views(text.as_bytes());
        assert_eq!(found.first(), Some(&("base64".to_owned(), expected.clone())), "{text}: {found:?}");
        assert_eq!(origin(text.as_bytes(), "base64", "kX9!mmq2zz"), word.as_bytes());
    }
    assert_eq!(views(yaml.replace("kind: Secret", "kind: SealedSecret").as_bytes()), []);
}

#[test]
fn encodings_are_found_in_each_other_to_a_depth() {
    let mut text = format!("{PLAIN} and more of it");
    let mut names = Vec::new();
    for depth in 1..=4 {
        text = STANDARD.encode(&text);
        let found = views(text.as_bytes());
        names = found.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(found.iter().any(|(_, text)| text.contains("alice")), depth <= DEEPEST, "{depth}: {names:?}");
    }
    assert_eq!(names, ["base64", "base64 in base64", "base64 in base64 in base64"]);
    let wide: Vec<u8> = STANDARD.encode(PLAIN).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = views(&wide);
    assert_eq!(found[1], ("base64 in utf-16le".to_owned(), format!("{PLAIN}\n")));
    assert_eq!(origin(&wide, "base64 in utf-16le", "alice"), &wide[16..32]);
    // As PowerShell takes its commands.
    let command = STANDARD.encode(PLAIN.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    assert!(
        views(command.as_bytes()).iter().any(|(name, text)| name == "utf-16le in base64" && text.contains("alice"))
    );
}

/// A text in which escapes of all kinds are escaped over and over.
fn hostile(times: usize) -> Vec<u8> {
    let lead = b"<a>".iter().copied();
    lead.chain((0..times).flat_map(|_| *b"%3D%253D%25253D&amp;amp;amp;#61;\\u003d%3D%253D&amp;amp;amp;#61;")).collect()
}

#[test]
fn what_is_decoded_is_bounded_by_the_size_of_the_blob() {
    let text = hostile(40_000);
    let (mut bytes, mut count) = (0, 0);
    let is_all = each(&text, |view| {
        bytes += view.text.len();
        count += 1;
    });
    assert!(!is_all, "what is left out is told: {bytes} of {}", text.len());
    assert!(count > 3 && bytes <= MOST_TIMES * text.len() + LEAST_ROOM, "{bytes} of {}", text.len());
    let ordinary = "{\"a\": \"\\u003cb c=&quot;x%3Dy&quot;\\u003e\\/d\\/e\\u0026quot;\"}".repeat(40_000);
    assert!(each(ordinary.as_bytes(), |_| {}), "what programs write is decoded wholly");
    let long = STANDARD.encode(STANDARD.encode(STANDARD.encode(PLAIN.repeat(9000))));
    assert!(each(long.as_bytes(), |view| count += view.text.len()) && count > 1_000_000, "base64 is never too long");
}

#[test]
fn no_input_makes_it_panic_and_all_ends() {
    let pieces: Vec<Vec<u8>> = [
        "apiVersion: v1\nkind: Secret\ndata:\n  a: ",
        "\"data\": {\"k\": \"",
        "Subject: a\nquoted-printable\n",
        "%3D",
        "%",
        "\\u003d",
        "\\",
        "\\ud83d",
        "\\x",
        "&#61;",
        "&",
        ";",
        "&#x",
        "=\n",
        "=3D",
        "\n",
        " ",
        "data:",
        "|\n   ",
        "\"",
        "}",
        "\n--b",
        "kind: Secret\n",
        "\0",
        "\u{fc}",
        "0x",
        "\\n",
    ]
    .iter()
    .map(|piece| piece.as_bytes().to_vec())
    .chain([STANDARD.encode(PLAIN), STANDARD.encode("short"), "61".repeat(40), "A".repeat(77)].map(String::into_bytes))
    .collect();
    let mut random = Random::new(9);
    for _ in 0..4000 {
        let mut text = Vec::new();
        for _ in 0..random.below(16) {
            let piece = &pieces[random.below(pieces.len() as u64) as usize];
            let cut = if random.below(3) == 0 { random.below(piece.len() as u64 + 1) as usize } else { piece.len() };
            text.extend_from_slice(&piece[..cut]);
        }
        each(&text, |view| {
            let (a, b) =
                (random.below(view.text.len() as u64 + 1) as usize, random.below(view.text.len() as u64 + 1) as usize);
            let span = Span::new(a.min(b), a.max(b));
            let [origin, inside, covered] = [view.in_blob(span), view.inside_blob(span), view.covered(span)];
            assert!(origin.end <= text.len() && covered.contains(origin), "{text:?} {span:?} {origin:?} {covered:?}");
            assert!(inside.is_empty() || origin.contains(inside));
            let back = view.in_view(origin);
            assert!(
                origin.is_empty() || span.is_empty() || back.is_some_and(|back| back.overlaps(span)),
                "{span:?} {back:?}"
            );
        });
    }
}

/// What a text made by edits gains is told by what is near them.
#[test]
fn what_arises_is_seen_near_the_edit() {
    let mut random = Random::new(4);
    let pieces =
        ["%3D", "\\u003d", "&#61;", "plain words ", "\n", "\\n0123456789abcdefXY", "=", "&amp;cd", "QUJD", "0"];
    let encoded = STANDARD.encode(PLAIN);
    let mut gained = 0;
    for _ in 0..6000 {
        let around = |random: &mut Random| "some words, ".repeat(random.below(20) as usize);
        let piece = if random.below(3) == 0 {
            encoded.clone()
        } else {
            pieces[random.below(pieces.len() as u64) as usize].to_owned()
        };
        let whole = [around(&mut random), piece, around(&mut random)].concat().into_bytes();
        // Cut out a part that makes it no encoding, and put it back.
        let at = random.below(whole.len() as u64 + 1) as usize;
        let end = (at + random.below(12) as usize).min(whole.len());
        let parent = [&whole[..at], &whole[end..]].concat();
        if !may_have_views(&parent) && may_have_views(&whole) {
            gained += 1;
            let same_head = at >= HEAD;
            assert!(
                may_arise(&whole, [Span::new(at, end)].into_iter(), same_head),
                "{:?}",
                String::from_utf8_lossy(&whole)
            );
        }
    }
    assert!(gained > 200, "only {gained} were gained");
}
