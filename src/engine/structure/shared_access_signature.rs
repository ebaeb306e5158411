//! `SharedAccessSignature` tokens of Service Bus, Event Hubs, IoT Hub and API Management.

use super::fact::{epoch_text, iso_time, note, withhold};
use super::query::{Query, host_and_path};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `shared-access-signature`: the signature is 32 bytes, the resource is named and the expiry is an epoch time.
///
/// API Management's management tokens (`uid`, `ex`) have another signature, whose length isn't stable; they are only
/// read.
/// Source: <https://learn.microsoft.com/rest/api/eventhub/generate-sas-token>,
/// <https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas>,
/// <https://learn.microsoft.com/rest/api/apimanagement/apimanagementrest/azure-api-management-rest-api-authentication>.
pub(super) struct SharedAccessSignature;

impl StructureCheck for SharedAccessSignature {
    fn id(&self) -> &'static str {
        "shared-access-signature"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let mut facts = Facts::default();
        if let Some(query) = Query::with(token.whole, "uid").filter(|query| query.get("ex").is_some()) {
            facts.expires = query.get("ex").and_then(iso_time);
            note(&mut facts, "account", query.get("uid").unwrap_or_default());
            withhold(&mut facts, token.secret);
            return Verdict::Unknown(facts);
        }
        let Some(query) = Query::with(token.whole, "sig").or_else(|| Query::with(token.secret, "sig")) else {
            return Verdict::Fails("no signature parameter");
        };
        let signature = query.get("sig").unwrap_or_default();
        if b64::standard(signature.as_bytes()).is_none_or(|bytes| bytes.len() != 32) {
            return Verdict::Fails("signature is not 32 bytes of base64");
        }
        let Some(resource) = query.get("sr") else {
            return Verdict::Fails("no resource");
        };
        facts.expires = query.get("se").and_then(epoch_text);
        if facts.expires.is_none() {
            return Verdict::Fails("expiry is not an epoch time");
        }
        let (host, path) = host_and_path(resource);
        // IoT Hub's resources have no scheme.
        note(
            &mut facts,
            "resource",
            host.map_or_else(|| resource.to_owned(), |host| host + path.trim_end_matches('/')),
        );
        note(&mut facts, "policy", query.get("skn").unwrap_or_default());
        withhold(&mut facts, signature.as_bytes());
        Verdict::Holds(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 2).expect(template)).expect("ASCII")
    }

    const BUS: &str = "SharedAccessSignature sr=sb%3a%2f%2fns.servicebus.windows.net%2fq%2f&sig=<<bytes64pct:32>>&\
        se=1767225600&skn=RootManageSharedAccessKey";
    const IOT: &str =
        "SharedAccessSignature sr=hub.azure-devices.net%2Fdevices%2Fd1&sig=<<bytes64pct:32>>&se=1767225600";

    #[test]
    fn signatures() {
        table(
            &SharedAccessSignature,
            &[
                ("Service Bus", made(BUS), Is::Held),
                ("IoT Hub", made(IOT), Is::Held),
                (
                    "only read",
                    made("SharedAccessSignature uid=5f&ex=2026-01-01T00:00:00Z&sn=<<bytes64:64>>"),
                    Is::Unknown,
                ),
                ("expiry corrupted", made(IOT).replace("1767225600", "tomorrow"), Is::Failed),
                ("no expiry", made(IOT).replace("&se=1767225600", ""), Is::Failed),
                ("no resource", made(IOT).replace("sr=", "rs="), Is::Failed),
                ("signature too long", made("SharedAccessSignature sr=a&sig=<<bytes64pct:36>>&se=1"), Is::Failed),
                ("truncated", made(BUS)[..100].to_owned(), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn tokens_tell_resource_expiry_and_policy() {
        let read = facts(on(&SharedAccessSignature, made(BUS)));
        assert_eq!(read.expires, Some(1_767_225_600));
        assert_eq!(read.named["resource"], "ns.servicebus.windows.net/q");
        assert_eq!(read.named["policy"], "RootManageSharedAccessKey");
        let read = facts(on(&SharedAccessSignature, made(IOT)));
        assert_eq!(read.named["resource"], "hub.azure-devices.net/devices/d1");
    }
}
