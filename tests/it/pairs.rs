//! Pairs: what belongs together is one finding, which says what it opens, in every format.

use keytrail::specimen::expand;
use serde_json::Value;

use crate::harness::{Run, Token, Workspace, keytrail, scan};

/// A secret of that template.
fn token(label: &str, template: &str) -> Token {
    let seed = label.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let value = expand(template, seed).expect("a template");
    Token::other(label, &String::from_utf8(value).expect("specimens are text"))
}

/// `files .` in folder `tree` of a workspace.
fn tree(workspace: &Workspace) -> Run {
    keytrail(["files", "."]).within(workspace.path("tree"))
}

/// The results of the SARIF of that run.
fn sarif(run: &Run) -> Vec<Value> {
    let log: Value =
        serde_json::from_slice(&run.clone().args(["--format", "sarif"]).go().stdout).expect("SARIF is JSON");
    log["runs"][0]["results"].as_array().expect("there are results").clone()
}

/// The three parts of temporary credentials.
fn credentials(label: &str) -> [Token; 3] {
    [
        token(&format!("{label}, id"), "<<aws-key-id:ASIA>>"),
        token(&format!("{label}, secret"), "<<base64:40>>"),
        token(&format!("{label}, session"), "<<join:IQoJb3Jp|Z2luX2Vj>><<base64:400>>"),
    ]
}

/// A profile of AWS's credentials file.
fn profile(name: &str, [id, secret, session]: &[Token; 3]) -> String {
    let mut text = format!("[{name}]\n");
    for (key, token) in [("aws_access_key_id", id), ("aws_secret_access_key", secret), ("aws_session_token", session)] {
        text.push_str(&format!("{key} = {}\n", token.text()));
    }
    text
}

#[test]
fn the_parts_of_aws_credentials_are_one_finding() {
    let workspace = Workspace::new();
    let (one, two) = (credentials("pairs, one"), credentials("pairs, second"));
    workspace.write("tree/credentials", profile("one", &one) + &profile("two", &two));
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&one[1], &two[1]]);
    for parts in [&one, &two] {
        let record = &results.of(&parts[1]).record;
        let kinds: Vec<_> = record["companions"].as_array().expect("a list").iter().map(|part| &part["kind"]).collect();
        assert_eq!(kinds, ["key_id", "session_token"]);
        assert_eq!(
            (record["target"]["kind"].as_str(), record["target"]["cloud"].as_str()),
            (Some("identity"), Some("aws"))
        );
        let account = record["target"]["account"].as_str().expect("the id tells it");
        assert_eq!((account.len(), &record["facts"]["account"]), (12, &Value::from(account)));
        assert_eq!(record["companions"][0]["rule"], "aws-access-key-id");
        assert!(record["companions"][0]["value"].as_str().is_some_and(|shown| shown.len() < 60));
    }
    let text = tree(&workspace).go().exits(1).text();
    assert!(text.contains("opens   an AWS identity in account '") && text.contains("with    key id "), "{text}");
    let results = sarif(&tree(&workspace));
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["properties"]["keytrail/companions"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_part_that_stands_alone_elsewhere_stays_a_finding() {
    let workspace = Workspace::new();
    let parts = credentials("pairs, alone");
    workspace.write("tree/credentials", profile("one", &parts));
    workspace.write("tree/notes.txt", format!("the key is {}\n", parts[0].text()));
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&parts[1], &parts[0]]);
    assert_eq!(results.of(&parts[0]).paths(), ["credentials", "notes.txt"]);
}

#[test]
fn a_part_that_is_added_to_what_was_there_is_reported() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("tree") else { return };
    let parts = credentials("pairs, added");
    let lines = profile("one", &parts);
    let without =
        lines.lines().filter(|line| !line.contains("session")).map(|line| format!("{line}\n")).collect::<String>();
    repo.commit_file("credentials", without);
    repo.write("credentials", &lines);
    repo.git(["add", "."]);
    let results = scan(&keytrail(["staged"]).within(repo.path()));
    results.holds_exactly(&[&parts[2]]);
}

#[test]
fn settings_name_what_a_password_opens() {
    let workspace = Workspace::new();
    let (sql, other) = (token("pairs, sql", "<<password:18>>"), token("pairs, another", "<<password:19>>"));
    let settings = format!(
        "DB_HOST=shop.database.windows.net\nDB_NAME=orders\nDB_USER=app\nDB_{0}={1}\n\nCACHE_{0}={2}\n",
        ["PASS", "WORD"].concat(),
        sql.text(),
        other.text()
    );
    workspace.write("tree/.env", &settings);
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&sql, &other]);
    let target = |token: &Token| results.of(token).record["target"].clone();
    let expected = serde_json::json!({
        "kind": "sql", "cloud": "azure", "service": "Azure SQL database", "resource": "shop.database.windows.net",
        "host": "shop.database.windows.net", "database": "orders", "user": "app", "exists": "unknown",
    });
    assert_eq!(target(&sql), expected);
    assert_eq!(results.of(&sql).text("severity"), "high");
    assert_eq!(target(&other), serde_json::json!({"kind": "unknown", "exists": "unknown"}));
    let text = tree(&workspace).go().exits(1).text();
    assert!(text.contains("Azure SQL database 'orders' on 'shop.database.windows.net' as 'app'"), "{text}");
    let sarif = sarif(&tree(&workspace));
    let bag = &sarif[0]["properties"];
    assert_eq!((&bag["keytrail/targetUser"], &bag["keytrail/targetDatabase"]), (&"app".into(), &"orders".into()));
}

#[test]
fn a_place_says_where_its_own_target_differs() {
    let workspace = Workspace::new();
    let secret = token("pairs, both", "<<password:24>>");
    let line = |host: &str| format!("host: {host}\n{}: {}\n", ["pass", "word"].concat(), secret.text());
    workspace.write("tree/a.yml", line("one.postgres.database.azure.com"));
    workspace.write("tree/b.yml", line("two.redis.cache.windows.net"));
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&secret]);
    let found = results.of(&secret);
    assert_eq!(found.record["target"]["resource"], "one.postgres.database.azure.com");
    assert_eq!(found.places[0].record["target"], Value::Null);
    assert_eq!(found.places[1].record["target"]["kind"], "redis");
}
