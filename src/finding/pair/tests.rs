use std::sync::OnceLock;

use super::*;
use crate::engine::built_in_rules;
use crate::specimen::expand;

/// The engine of the built-in rules.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(built_in_rules()).expect("the built-in rules make an engine"))
}

/// What is joined in a text: for each match that is no part, in the order of offsets, `rule word=value … +part`.
fn joined(text: &[u8]) -> Vec<String> {
    let scanned = engine().scan(text);
    let matches: Vec<&Match> = scanned.matches.iter().filter(|found| found.view == 0 && !found.dropped).collect();
    let told = join(engine(), text, &matches);
    let line = |(found, joined): (&&Match, &Joined)| {
        let mut line = engine().rule(found.rule).id.to_string();
        joined.companions.iter().for_each(|(word, _, value)| line.push_str(&format!(" {word}={value}")));
        joined.parts.iter().for_each(|(word, _)| line.push_str(&format!(" +{word}")));
        line
    };
    matches.iter().zip(&told).filter(|(_, joined)| joined.of.is_none()).map(line).collect()
}

/// Runs a table of (template, expected lines).
fn table(rows: &[(&str, &[&str])]) {
    assert!(!rows.is_empty());
    for (at, (template, expected)) in rows.iter().enumerate() {
        let text = expand(template, 40 + at as u64).expect(template);
        assert_eq!(joined(&text), *expected, "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn families_are_told_apart_and_name_what_they_need() {
    let mut ids: Vec<&str> = ALL.iter().map(|family| family.id).collect();
    assert!(ids.len() > 5);
    for family in ALL {
        assert!(!family.wants.is_empty() || !family.parts.is_empty(), "{}", family.id);
        for want in family.wants {
            assert!(!want.names.is_empty(), "{}", family.id);
            for name in want.names {
                assert_eq!(name::words(name.as_bytes()), **name, "{}", family.id);
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), ALL.len());
}

#[test]
fn aws_keys() {
    const PAIR: &[&str] = &["aws-secret-access-key +key_id"];
    table(&[
        ("AWS_ACCESS_KEY_ID=<<aws-key-id:AKIA>>\nAWS_SECRET_ACCESS_KEY=<<base64:40>>\n", PAIR),
        ("export AWS_SECRET_ACCESS_KEY='<<base64:40>>'\n\nexport AWS_ACCESS_KEY_ID='<<aws-key-id:AKIA>>'\n", PAIR),
        (
            "[default]\naws_access_key_id = <<aws-key-id:ASIA>>\naws_secret_access_key = <<base64:40>>\n\
             aws_session_token = <<join:IQoJb3Jp|Z2luX2Vj>><<base64:400>>\nregion = eu-west-1\n",
            &["aws-secret-access-key region=eu-west-1 +key_id +session_token"],
        ),
        (
            "{\"Credentials\": {\"AccessKeyId\": \"<<aws-key-id:ASIA>>\", \"SecretAccessKey\": \"<<base64:40>>\", \
             \"SessionToken\": \"<<join:FwoGZX|IvYXdz>><<base64:300>>\"}}",
            &["aws-secret-access-key +key_id +session_token"],
        ),
        (
            "aws:\n  accessKey: <<aws-key-id:AKIA>>\n  secretKey: <<base64:40>>\n  bucket: shop-data\n",
            &["aws-secret-access-key bucket=shop-data +key_id"],
        ),
        ("key = \"<<aws-key-id:AKIA>>\"\nsecret = \"<<base64:40>>\"\n", &["generic-secret +key_id"]),
        ("Access key ID,Secret access key\n<<aws-key-id:AKIA>>,<<base64:40>>\n", &["aws-access-key-pair +key_id"]),
        (
            "[one]\naws_access_key_id=<<aws-key-id:AKIA>>\naws_secret_access_key=<<base64:40>>\n[two]\n\
             aws_access_key_id=<<aws-key-id:AKIA>>\naws_secret_access_key=<<base64:40>>\n",
            &["aws-secret-access-key +key_id", "aws-secret-access-key +key_id"],
        ),
        (
            "https://b.s3.eu-west-1.amazonaws.com/a.zip?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
             <<aws-key-id:AKIA>>%2F20990101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20990101T000000Z&X-Amz-Expires=\
             604800&X-Amz-SignedHeaders=host&X-Amz-Signature=<<hex:64>>",
            &["aws-s3-presigned-url +key_id"],
        ),
    ]);
}

#[test]
fn aws_keys_of_different_accounts_are_not_joined() {
    let far = "# filler\n".repeat(60);
    table(&[
        ("AWS_ACCESS_KEY_ID=<<aws-key-id:AKIA>>\n", &["aws-access-key-id"]),
        (
            "[one]\naws_access_key_id=<<aws-key-id:AKIA>>\n[two]\naws_secret_access_key=<<base64:40>>\n",
            &["aws-access-key-id", "aws-secret-access-key"],
        ),
        (
            &format!("AWS_ACCESS_KEY_ID=<<aws-key-id:AKIA>>\n{far}AWS_SECRET_ACCESS_KEY=<<base64:40>>\n"),
            &["aws-access-key-id", "aws-secret-access-key"],
        ),
        (
            "PROD_AWS_ACCESS_KEY_ID=<<aws-key-id:AKIA>>\nDEV_AWS_SECRET_ACCESS_KEY=<<base64:40>>\n",
            &["aws-access-key-id", "aws-secret-access-key"],
        ),
        (
            "PROD_AWS_ACCESS_KEY_ID=<<aws-key-id:AKIA>>\nDEV_AWS_ACCESS_KEY_ID=<<aws-key-id:AKIA>>\n\
             PROD_AWS_SECRET_ACCESS_KEY=<<base64:40>>\n",
            &["aws-access-key-id", "aws-secret-access-key +key_id"],
        ),
        ("commit = \"<<hex:40>>\"\nkey: <<aws-key-id:AKIA>>\n", &["aws-access-key-id"]),
    ]);
}

#[test]
fn entra_applications() {
    let ids = "tenant=0f3c2b1a-1111-4222-8333-444455556666 client_id=0f3c2b1a-7777-4222-8333-444455556666";
    let whole = format!("entra-client-secret {ids}");
    let (tenant, client) = ("0f3c2b1a-1111-4222-8333-444455556666", "0f3c2b1a-7777-4222-8333-444455556666");
    let of = |template: &str| template.replace("TENANT", tenant).replace("CLIENT", client);
    for template in [
        "AZURE_T_ID=TENANT\nAZURE_C_ID=CLIENT\nAZURE_C_SECRET=<<entra-secret>>\n",
        "{\"appId\": \"CLIENT\", \"displayName\": \"x\", \"password\": \"<<entra-secret>>\", \"tenant\": \"TENANT\"}",
        "provider \"azurerm\" {\n  client_id     = \"CLIENT\"\n  client_secret = \"<<entra-secret>>\"\n  tenant_id = \"TENANT\"\n}\n",
        "azure:\n  clientId: CLIENT\n  clientSecret: <<entra-secret>>\n  authority: https://login.microsoftonline.com/TENANT\n",
        "ClientSecretCredential(tenant_id=\"TENANT\", client_id=\"CLIENT\", client_secret=\"<<entra-secret>>\")",
        "<a><add key=\"TenantId\" value=\"TENANT\"/>\n<add key=\"ClientId\" value=\"CLIENT\"/>\n<add key=\"ClientSecret\" value=\"<<entra-secret>>\"/></a>",
    ] {
        let template = of(template).replace("_T_", "_TENANT_").replace("_C_", "_CLIENT_");
        table(&[(&template, &[&whole])]);
    }
    table(&[
        (
            &of("[a]\ntenant_id=TENANT\nclient_id=CLIENT\n[b]\nclient_secret=<<entra-secret>>\n"),
            &["entra-client-secret"],
        ),
        ("tenant_id=common\nclient_id=web\nclient_secret=<<entra-secret>>\n", &["entra-client-secret"]),
    ]);
}

#[test]
fn keys_and_their_accounts() {
    table(&[
        (
            "AZURE_STORAGE_ACCOUNT=contosodata\nAZURE_STORAGE_KEY=<<bytes64:64>>\n",
            &["azure-storage-account-key account=contosodata"],
        ),
        (
            "{\"accountName\": \"contosodata\", \"accountKey\": \"<<his:+ASt:Default0:64>>\"}",
            &["azure-storage-identifiable-key account=contosodata"],
        ),
        (
            "storage:\n  url: https://contosodata.blob.core.windows.net/\n  access_key: <<his:+ASt:Default0:64>>\n",
            &["azure-storage-identifiable-key host=contosodata.blob.core.windows.net"],
        ),
        (
            "COSMOS_ENDPOINT=https://shop.documents.azure.com:443/\nCOSMOS_KEY=<<his:ACDb:MastRW00:64>>\n",
            &["azure-cosmosdb-identifiable-key host=shop.documents.azure.com"],
        ),
        (
            "endpoint = \"https://find.search.windows.net\"\nkey = \"<<his:AzSe:PAdmin00:39>>\"\n",
            &["azure-search-identifiable-key host=find.search.windows.net"],
        ),
        (
            "endpoint = \"https://find.search.windows.net\"\nkey = \"<<his:ACDb:MastRW00:64>>\"\n",
            &["azure-cosmosdb-identifiable-key"],
        ),
        (
            "a:\n  account_name: contosodata\nb:\n  account_key: <<his:+ASt:Default0:64>>\n",
            &["azure-storage-identifiable-key"],
        ),
    ]);
}

#[test]
fn logins() {
    const SQL: &str = "generic-password host=srv.database.windows.net user=app database=shop";
    table(&[
        ("DB_HOST=srv.database.windows.net\nDB_NAME=shop\nDB_USER=app\nDB_PASSWORD=<<password:16>>\n", &[SQL]),
        (
            "[db]\nserver = tcp:srv.database.windows.net\ndatabase = shop\nuser = app\npassword = <<password:16>>\n",
            &[SQL],
        ),
        (
            "db:\n  host: srv.database.windows.net\n  username: app\n  password: \"<<password:16>>\"\n  database: shop\n",
            &[SQL],
        ),
        (
            "{\"user\":\"app\",\"password\":\"<<password:16>>\",\"server\":\"srv.database.windows.net\",\"database\":\"shop\"}",
            &["login-pair-password host=srv.database.windows.net database=shop"],
        ),
        (
            "connect(host=\"srv.database.windows.net\", user='app',\n        password=\"<<password:16>>\", dbname=\"shop\")",
            &["login-pair-password host=srv.database.windows.net database=shop"],
        ),
        (
            "define('DB_NAME', 'shop');\ndefine('DB_USER', 'app');\ndefine('DB_PASSWORD', '<<password:16>>');\n\
             define('DB_HOST', 'srv.database.windows.net');\n",
            &[SQL],
        ),
        (
            "spring.datasource.url=jdbc:postgresql://db.example:5432/shop\nspring.datasource.username=app\n\
             spring.datasource.password=<<password:16>>\n",
            &["generic-password host=db.example scheme=postgresql port=5432 database=shop user=app"],
        ),
        (
            "redis:\n  host: c1.redis.cache.windows.net\n  port: 6380\n  password: <<password:20>>\n",
            &["generic-password host=c1.redis.cache.windows.net port=6380"],
        ),
        (
            "sqlcmd -S srv.database.windows.net -d shop -U app -P <<alnum:16>> -Q x\n",
            &["database-client-password host=srv.database.windows.net user=app database=shop"],
        ),
        ("sshpass -p <<password:12>> ssh root@10.0.0.4\n", &["sshpass-password user=root host=10.0.0.4"]),
        ("sshpass -p <<password:12>> scp a root@db.example:/b\n", &["sshpass-password user=root host=db.example"]),
        ("sshpass -p <<password:12>> -h\nroot@db.example\n", &["sshpass-password"]),
        ("curl -u ci:<<alnum:16>> 'https://nexus.example/x'\n", &["curl-user-password host=nexus.example"]),
        (
            "mysql -h db.example -u app --password=<<alnum:12>> shop\n",
            &["mysql-command-password host=db.example user=app"],
        ),
    ]);
}

#[test]
fn logins_of_different_blocks_are_not_joined() {
    let far = "x: 1\n".repeat(60);
    table(&[
        ("DB_HOST=db.example\nREDIS_PASSWORD=<<password:16>>\n", &["generic-password"]),
        ("a:\n  host: a.example\n  user: ann\nb:\n  password: <<password:16>>\n", &["generic-password"]),
        (&format!("host: a.example\n{far}password: <<password:16>>\n"), &["generic-password"]),
        (
            "host1=a.example\nuser1=ann\npassword1=<<password:16>>\nhost2=b.example\npassword2=<<password:17>>\n",
            &["generic-password host=a.example user=ann", "generic-password host=b.example"],
        ),
        (
            "host=a.example\npassword=<<password:18>>\n\nhost=b.example\nuser=bob\npassword=<<password:17>>\n",
            &["generic-password host=a.example", "generic-password host=b.example user=bob"],
        ),
        (
            "PROD_DB_HOST=p.example\nDEV_DB_HOST=d.example\nDEV_DB_PASSWORD=<<password:16>>\nPROD_DB_PASSWORD=<<password:17>>\n",
            &["generic-password host=d.example", "generic-password host=p.example"],
        ),
        (
            "host: a.example\nusers:\n- login: ann\n  password: <<password:16>>\n- login: bob\n  password: <<password:17>>\n",
            &["generic-password host=a.example user=ann", "generic-password host=a.example user=bob"],
        ),
        ("host = ${DB_HOST}\nuser = os.environ['U']\npassword = <<password:16>>\n", &["generic-password"]),
    ]);
}

#[test]
fn registries() {
    table(&[
        (
            "{\"auths\": {\"registry.contoso.net\": {\"email\": \"a@b\", \"auth\": \"<<join:Y2k6|dDdLcTl4Wm00Vw==>>\"}}}",
            &["docker-config-auth host=registry.contoso.net"],
        ),
        (
            "docker login -u ci -p <<alnum:16>> registry.contoso.net\n",
            &["registry-login-password host=registry.contoso.net user=ci"],
        ),
        (
            "DOCKER_REGISTRY=registry.contoso.net\nDOCKER_USERNAME=ci\nDOCKER_PASSWORD=<<password:16>>\n",
            &["generic-password host=registry.contoso.net user=ci"],
        ),
    ]);
}

#[test]
fn oauth_clients() {
    let google = "123456789012-abc.apps.googleusercontent.com";
    table(&[
        (
            &format!("{{\"web\":{{\"client_id\":\"{google}\",\"client_secret\":\"<<join:GOC|SPX->><<alnum:28>>\"}}}}"),
            &[&format!("google-oauth-client-secret client_id={google}")],
        ),
        ("oauth:\n  client_id: shop-web\n  client_secret: <<alnum:40>>\n", &["generic-secret client_id=shop-web"]),
        ("a: {client_id: shop-web}\nb: {client_secret: <<alnum:40>>}\n", &["generic-secret"]),
    ]);
}

#[test]
fn keys_know_their_certificates() {
    let made = crate::engine::structure::testing::certificate_and_key();
    let Some((certificate, key, other)) = made else {
        return; // no openssl
    };
    for (text, expected) in [
        (format!("{other}{certificate}{key}"), Some("witness.invalid")),
        (format!("{key}\n\n{other}{certificate}"), Some("witness.invalid")),
        (format!("{key}{other}"), None),
        (format!("{key}{}{certificate}", "x\n".repeat(20_000)), None),
    ] {
        let scanned = engine().scan(text.as_bytes());
        let matches: Vec<&Match> = scanned.matches.iter().filter(|found| !found.dropped).collect();
        assert_eq!(matches.len(), 1);
        let told = join(engine(), text.as_bytes(), &matches);
        assert_eq!(told[0].facts.named.get("certificate").map(String::as_str), expected);
        assert_eq!(told[0].facts.expires.is_some(), expected.is_some());
    }
}

#[test]
fn it_is_a_function_of_the_bytes_and_bounded() {
    let record = |at: usize| {
        let text = format!("DB_HOST=h{at}.example\nDB_USER=app\nDB_PASSWORD=<<password:16>>\n");
        expand(&text, at as u64).expect("a template")
    };
    let many: Vec<u8> = (0..3_000).flat_map(record).collect();
    let start = std::time::Instant::now();
    let found = joined(&many);
    // The model may think little of one value or another; the hosts of the rest are their own.
    assert!(found.len() > 2_900, "{}", found.len());
    let number = |line: &String| -> usize {
        let host = line.strip_prefix("generic-password host=h").and_then(|rest| rest.strip_suffix(".example user=app"));
        host.and_then(|host| host.parse().ok()).unwrap_or_else(|| panic!("{line}"))
    };
    let numbers: Vec<usize> = found.iter().map(number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    let noise: Vec<u8> = (0..2_000).flat_map(|at| [b"{[(<a ".as_slice(), &record(3), &[at as u8]].concat()).collect();
    joined(&noise);
}
