//! Presigned URLs of AWS S3 and Google Cloud Storage.

use super::fact::{epoch_text, iso_time, note, withhold};
use super::query::Query;
use super::{StructureCheck, Token, Verdict, aws_key_id, b64};
use crate::finding::Facts;

/// `presigned-url`: the signature has the form of its version, and start and duration, or expiry, are times.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html> (version 4, at most seven
/// days), <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html> (version 2),
/// <https://cloud.google.com/storage/docs/authentication/signatures> (Google version 4).
pub(super) struct PresignedUrl;

/// Longest life of a version 4 signature, seconds: seven days, at Amazon and Google alike.
const LONGEST_LIFE: i64 = 604_800;

impl StructureCheck for PresignedUrl {
    fn id(&self) -> &'static str {
        "presigned-url"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        if let Some(query) = Query::with(token.whole, "X-Amz-Signature") {
            return version_4(&query, "X-Amz-", |facts, names| {
                note(facts, "key-id", names[0]);
                note(facts, "account", aws_key_id::account_of(names[0]).unwrap_or_default());
            });
        }
        if let Some(query) = Query::with(token.whole, "X-Goog-Signature") {
            return version_4(&query, "X-Goog-", |facts, names| note(facts, "account", names[0]));
        }
        match Query::with(token.whole, "Signature") {
            Some(query) => version_2(&query),
            None => Verdict::Fails("no signature parameter"),
        }
    }
}

/// Reads parameters that start with `prefix`; `whose` notes who signed from the parts of the credential.
fn version_4(query: &Query, prefix: &str, whose: fn(&mut Facts, &[&str])) -> Verdict {
    let get = |name: &str| query.get(&format!("{prefix}{name}")).unwrap_or_default();
    let signature = get("Signature");
    if signature.len() < 64
        || !signature.len().is_multiple_of(2)
        || !signature.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Verdict::Fails("signature is not hexadecimal of 32 bytes or more");
    }
    let Some(created) = iso_time(get("Date")) else {
        return Verdict::Fails("date is not a time");
    };
    let Some(life) = get("Expires").parse::<i64>().ok().filter(|life| (1..=LONGEST_LIFE).contains(life)) else {
        return Verdict::Fails("duration is not within seven days");
    };
    // Key id or mail, date, region, service, end mark.
    let credential = get("Credential");
    let parts: Vec<&str> = credential.rsplitn(5, '/').collect::<Vec<_>>().into_iter().rev().collect();
    let &[_, _, region, service, _] = parts.as_slice() else {
        return Verdict::Fails("credential does not name date, region and service");
    };
    let mut facts = Facts { expires: created.checked_add(life), created: Some(created), ..Facts::default() };
    whose(&mut facts, &parts);
    note(&mut facts, "region", region);
    note(&mut facts, "service", service);
    finish(facts, query, signature)
}

/// Reads `AWSAccessKeyId` or `GoogleAccessId`, `Expires` and `Signature`.
fn version_2(query: &Query) -> Verdict {
    let signature = query.get("Signature").unwrap_or_default();
    let Some(expires) = query.get("Expires").and_then(epoch_text) else {
        return Verdict::Fails("expiry is not an epoch time");
    };
    let mut facts = Facts { expires: Some(expires), ..Facts::default() };
    let bytes = b64::either(signature.as_bytes()).map_or(0, |bytes| bytes.len());
    if let Some(id) = query.get("AWSAccessKeyId") {
        if bytes != 20 {
            return Verdict::Fails("signature is not 20 bytes of base64");
        }
        note(&mut facts, "key-id", id);
        note(&mut facts, "account", aws_key_id::account_of(id).unwrap_or_default());
    } else if let Some(id) = query.get("GoogleAccessId") {
        // An RSA signature, or the HMAC of an interoperability key.
        if bytes != 20 && bytes < 128 {
            return Verdict::Fails("signature is too short");
        }
        note(&mut facts, "account", id);
    } else {
        return Verdict::Unknown(facts);
    }
    finish(facts, query, signature)
}

/// Adds what all versions tell.
fn finish(mut facts: Facts, query: &Query, signature: &str) -> Verdict {
    note(&mut facts, "resource", query.host.as_deref().unwrap_or_default());
    withhold(&mut facts, signature.as_bytes());
    Verdict::Holds(facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 4).expect(template)).expect("ASCII")
    }

    const AWS_4: &str = "https://bucket.s3.eu-west-1.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
        <<join:AK|IA>>RZPUZDIKAAAAAAAA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&\
        X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=<<hex:64>>";
    const AWS_2: &str = "https://bucket.s3.amazonaws.com/k?AWSAccessKeyId=<<join:AK|IA>>RZPUZDIKAAAAAAAA&\
        Expires=1767225600&Signature=<<bytes64pct:20>>";
    const GOOGLE_4: &str = "https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=\
        sa%40p.iam.gserviceaccount.com%2F20260101%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260101T000000Z&\
        X-Goog-Expires=60&X-Goog-SignedHeaders=host&X-Goog-Signature=<<hex:512>>";
    const GOOGLE_2: &str = "https://storage.googleapis.com/b/o?GoogleAccessId=sa%40p.iam.gserviceaccount.com&\
        Expires=1767225600&Signature=<<bytes64pct:256>>";

    #[test]
    fn urls() {
        table(
            &PresignedUrl,
            &[
                ("AWS version 4", made(AWS_4), Is::Held),
                ("AWS version 2", made(AWS_2), Is::Held),
                ("Google version 4", made(GOOGLE_4), Is::Held),
                ("Google version 2", made(GOOGLE_2), Is::Held),
                (
                    "someone else's",
                    made("https://cdn.example/x?Expires=1767225600&Signature=<<base64url:40>>&Key-Pair-Id=K"),
                    Is::Unknown,
                ),
                ("date corrupted", made(AWS_4).replace("20260101T", "20269901T"), Is::Failed),
                ("over seven days", made(AWS_4).replace("Expires=3600", "Expires=604801"), Is::Failed),
                ("signature truncated", made(AWS_4)[..made(AWS_4).len() - 1].to_owned(), Is::Failed),
                ("signature left out", made(AWS_2).replace("Signature=", "Signature=x"), Is::Failed),
                ("credential cut", made(GOOGLE_4).replace("%2Fgoog4_request", ""), Is::Failed),
                ("too long", made(AWS_2).replace("%3D", "AAAA%3D"), Is::Failed),
                ("no signature", "https://bucket.s3.amazonaws.com/k".to_owned(), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn urls_tell_who_where_and_until_when() {
        let read = facts(on(&PresignedUrl, made(AWS_4)));
        assert_eq!((read.created, read.expires), (Some(1_767_225_600), Some(1_767_229_200)));
        let named: Vec<_> = read.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let key_id = made("key-id=<<join:AK|IA>>RZPUZDIKAAAAAAAA");
        let resource = "resource=bucket.s3.eu-west-1.amazonaws.com";
        assert_eq!(named, ["account=123456789012", &key_id, "region=eu-west-1", resource, "service=s3"]);
        let read = facts(on(&PresignedUrl, made(GOOGLE_4)));
        assert_eq!(read.named["account"], "sa@p.iam.gserviceaccount.com");
        assert_eq!(facts(on(&PresignedUrl, made(AWS_2))).named["account"], "123456789012");
        assert_eq!(facts(on(&PresignedUrl, made(GOOGLE_2))).expires, Some(1_767_225_600));
    }
}
